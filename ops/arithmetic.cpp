#include "gradus/ops/arithmetic.hpp"

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
Expr operator-(Arg x) { return build<Neg>({x}); }

}  // namespace gradus
