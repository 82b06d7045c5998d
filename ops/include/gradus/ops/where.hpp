#pragma once

#include "gradus/ops/elementwise.hpp"
#include "gradus/simd/math.hpp"

namespace GRADUS_PUBLIC gradus {

Expr where(Arg condition, Arg yes, Arg no);

class Where final : public Elementwise<Where, 3> {
 public:
  static constexpr std::string_view name = "where";
  static OnnxSpelling onnx(InputShapes) {
    return {{"Cast", {OnnxInput{0}}, {{"to", OnnxType::boolean}}},
            {"Where", {OnnxResult{0}, OnnxInput{1}, OnnxInput{2}}}};
  }
  template <class T>
  static T f(T condition, T yes, T no) {
    using math::where;
    return where(condition != T(0), yes, no);
  }
  std::vector<Expr> vjp(const Vjp& v) const override {
    const Expr& condition = v.inputs[0];
    return {Expr(), v.wanted[1] ? where(condition, v.cotangent, 0) : Expr(),
            v.wanted[2] ? where(condition, 0, v.cotangent) : Expr()};
  }
};

/// `yes` where the condition is not 0, `no` elsewhere, elementwise. The other side's value, NaN included,
/// does not matter, nor does its gradient; the condition has none.
inline Expr where(Arg condition, Arg yes, Arg no) { return builtin<Where>({condition, yes, no}); }

}  // namespace gradus
