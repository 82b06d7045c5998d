#include "gradus/ops/where.hpp"

#include "gradus/ops/rules.hpp"

namespace gradus {

namespace {

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using math::where;

struct Where final : Elementwise<Where, 3> {
  static constexpr std::string_view name = "where";
  static OnnxSpelling onnx(InputShapes) {
    return {{"Cast", {OnnxInput{0}}, {{"to", OnnxType::boolean}}},
            {"Where", {OnnxResult{0}, OnnxInput{1}, OnnxInput{2}}}};
  }
  using ScalarLoops = std::integer_sequence<unsigned, 0, 0b010, 0b100, 0b110>;
  template <class T> static T f(T condition, T yes, T no) { return where(condition != T(0), yes, no); }
  std::vector<Expr> vjp(const Vjp& v) const override {
    const Expr& condition = v.inputs[0];
    return {Expr(), v.wanted[1] ? where(condition, v.cotangent, 0) : Expr(),
            v.wanted[2] ? where(condition, 0, v.cotangent) : Expr()};
  }
};

}  // namespace

Expr where(Arg condition, Arg yes, Arg no) { return build<Where>({condition, yes, no}); }

}  // namespace gradus
