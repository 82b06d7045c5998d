#include "gradus/ops/comparison.hpp"

#include "gradus/ops/rules.hpp"

namespace gradus {

namespace {

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using math::where;

// An operator of ONNX that compares, and its result as numbers.
OnnxSpelling compared_by(std::string_view relation) {
  return {{relation, {OnnxInput{0}, OnnxInput{1}}}, {"Cast", {OnnxResult{0}}, {{"to", OnnxType::element}}}};
}

template <bool or_equal> struct Less final : Undifferentiable<Less<or_equal>, 2> {
  static constexpr std::string_view name = or_equal ? "less_equal" : "less";
  static OnnxSpelling onnx(InputShapes) { return compared_by(or_equal ? "LessOrEqual" : "Less"); }
  template <class T> static T f(T a, T b) { return where(or_equal ? a <= b : a < b, T(1), T(0)); }
};

struct Equal final : Undifferentiable<Equal, 2> {
  static constexpr std::string_view name = "equal";
  static constexpr Traits extra_traits{.commutative = true};
  static OnnxSpelling onnx(InputShapes) { return compared_by("Equal"); }
  template <class T> static T f(T a, T b) { return where(a == b, T(1), T(0)); }
};

struct NotEqual final : Undifferentiable<NotEqual, 2> {
  static constexpr std::string_view name = "not_equal";
  static constexpr Traits extra_traits{.commutative = true};
  static OnnxSpelling onnx(InputShapes) {
    return {{"Equal", {OnnxInput{0}, OnnxInput{1}}},
            {"Not", {OnnxResult{0}}},
            {"Cast", {OnnxResult{1}}, {{"to", OnnxType::element}}}};
  }
  template <class T> static T f(T a, T b) { return where(a != b, T(1), T(0)); }
};

}  // namespace

Expr operator<(Arg a, Arg b) { return build<Less<false>>({a, b}); }
Expr operator>(Arg a, Arg b) { return build<Less<false>>({b, a}); }
Expr operator<=(Arg a, Arg b) { return build<Less<true>>({a, b}); }
Expr operator>=(Arg a, Arg b) { return build<Less<true>>({b, a}); }
Expr equal(Arg a, Arg b) { return build<Equal>({a, b}); }
Expr not_equal(Arg a, Arg b) { return build<NotEqual>({a, b}); }

}  // namespace gradus
