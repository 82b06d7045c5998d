#include "gradus/ops/arithmetic.hpp"

#include <cmath>

#include "framework/autodiff/add.hpp"
#include "gradus/ops/rules.hpp"

namespace gradus {

namespace {

struct Sub final : Binary<Sub> {
  static constexpr std::string_view name = "sub", onnx = "Sub";
  static constexpr Traits extra_traits{.right_identity = 0.0};
  template <class T> static T f(T a, T b) { return a - b; }
  template <class T> static T da(T, T, T) { return 1; }
  template <class T> static T db(T, T, T) { return -1; }
};

struct Mul final : Binary<Mul> {
  static constexpr std::string_view name = "mul", onnx = "Mul";
  static constexpr Traits extra_traits{.commutative = true, .left_identity = 1.0, .right_identity = 1.0};
  template <class T> static T f(T a, T b) { return a * b; }
  template <class T> static T da(T, T b, T) { return b; }
  template <class T> static T db(T a, T, T) { return a; }
};

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using math::where, math::weighted;

// Its derivatives are products with what may be infinite on either side: of `both`, which is its own
// derivative.
template <bool both> struct Weighted final : Elementwise<Weighted<both>, 2> {
  static constexpr std::string_view name = both ? "weighted_both" : "weighted";
  static constexpr Traits extra_traits{.commutative = both, .left_identity = 1.0, .right_identity = 1.0};
  static OnnxSpelling onnx(InputShapes) {
    OnnxSpelling steps = {{"Equal", {OnnxInput{0}, 0.0}},
                          {"Mul", {OnnxInput{0}, OnnxInput{1}}},
                          {"Where", {OnnxResult{0}, 0.0, OnnxResult{1}}}};
    if (both) {
      steps.push_back({"Equal", {OnnxInput{1}, 0.0}});
      steps.push_back({"Where", {OnnxResult{3}, 0.0, OnnxResult{2}}});
    }
    return steps;
  }
  template <class T> static T f(T a, T b) {
    const T product = weighted(a, b);
    return both ? where(b == T(0), T(0), product) : product;
  }
  std::vector<Expr> vjp(const Vjp& v) const override {
    return {v.wanted[0] ? weighted_both(v.cotangent, v.inputs[1]) : Expr(),
            v.wanted[1] ? weighted_both(v.cotangent, v.inputs[0]) : Expr()};
  }
  // A plain product where a number rules out 0 · ∞.
  Expr canonicalize(std::span<const Expr> inputs) const override {
    const auto rules_out = [&](const Expr& input, bool may_be_zero) {
      const Full* number = input.graph()[input.id()].full();
      return number != nullptr && std::isfinite(number->value) && (may_be_zero || number->value != 0);
    };
    const bool plain = rules_out(inputs[0], false) || rules_out(inputs[1], !both);
    return plain ? inputs[0] * inputs[1] : Expr();
  }
};

struct Div final : Binary<Div> {
  static constexpr std::string_view name = "div", onnx = "Div";
  static constexpr Traits extra_traits{.right_identity = 1.0};
  template <class T> static T f(T a, T b) { return a / b; }
  template <class T> static T da(T, T b, T) { return 1 / b; }
  template <class T> static T db(T, T b, T y) { return -y / b; }
};

struct Neg final : Unary<Neg> {
  static constexpr std::string_view name = "neg", onnx = "Neg";
  static constexpr Traits extra_traits{.involution = true};
  template <class T> static T f(T x) { return -x; }
  template <class T> static T d(T, T) { return -1; }
};

}  // namespace

Expr operator+(Arg a, Arg b) { return build<Add>({a, b}); }
Expr operator-(Arg a, Arg b) { return build<Sub>({a, b}); }
Expr operator*(Arg a, Arg b) { return build<Mul>({a, b}); }
Expr operator/(Arg a, Arg b) { return build<Div>({a, b}); }
Expr weighted(Arg weight, Arg value) { return build<Weighted<false>>({weight, value}); }
Expr weighted_both(Arg a, Arg b) { return build<Weighted<true>>({a, b}); }
Expr operator-(Arg x) { return build<Neg>({x}); }

}  // namespace gradus
