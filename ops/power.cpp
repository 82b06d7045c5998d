#include "gradus/ops/power.hpp"

#include <cmath>

#include "gradus/ops/comparison.hpp"
#include "gradus/ops/exponential.hpp"
#include "gradus/ops/rules.hpp"
#include "gradus/ops/where.hpp"

namespace gradus {

namespace {

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using std::sqrt, std::pow, math::flushed, math::weighted;

struct Sqrt final : Unary<Sqrt> {
  static constexpr std::string_view name = "sqrt", onnx = "Sqrt";
  template <class T> static T f(T x) { return sqrt(x); }
  template <class T> static T d(T, T y) { return T(0.5) / y; }
};

struct Square final : Unary<Square> {
  static constexpr std::string_view name = "square";
  static OnnxSpelling onnx(InputShapes) { return {{"Mul", {OnnxInput{0}, OnnxInput{0}}}}; }
  template <class T> static T f(T x) { return x * x; }
  template <class T> static T d(T x, T) { return 2 * x; }
};

/// The exponent is a number known when the graph is built.
struct PowNumber final : Unary<PowNumber> {
  static constexpr std::string_view name = "pow_number";
  explicit PowNumber(double p) : exponent(p) {}
  auto attributes() const { return std::tuple(attribute("exponent", exponent)); }
  OnnxSpelling onnx(InputShapes) const { return {{"Pow", {OnnxInput{0}, exponent}}}; }
  template <class T> T f(T x) const { return pow(flushed(x), T(exponent)); }
  template <class T> T d(T x, T) const { return exponent * pow(x, exponent - 1); }

  double exponent;
};

struct Pow final : Binary<Pow> {
  static constexpr std::string_view name = "pow", onnx = "Pow";
  template <class T> static T f(T a, T b) { return pow(flushed(a), b); }
  // 0·pow(0, −1) would be NaN. A power of 0 outdoes any factor: so do those of an infinite exponent.
  template <class T> static T da(T a, T b, T) {
    return weighted(pow(where(equal(a, 0) * equal(b, 0), 1, a), b - 1), b);
  }
  // aᵇ·log a, and 0 for a ≤ 0, where the logarithm has no value. Nor need aᵇ have a finite one there. An aᵇ
  // of 0 outdoes the logarithm of an infinite a.
  template <class T> static T db(T a, T, T y) {
    return weighted(where(a <= 0, 0, y), log(where(a > 0, a, 1)));
  }
};

}  // namespace

Expr sqrt(Arg x) { return build<Sqrt>({x}); }

Expr square(Arg x) { return build<Square>({x}); }

Expr pow(Arg base, Arg exponent) {
  if (!exponent.expr.is_literal()) return build<Pow>({base, exponent});
  const double p = exponent.expr.literal();
  if (p == 1) return base.expr;
  if (p == 2) return build<Square>({base});
  if (p == 0 && base.expr.is_node()) return base.expr.graph().full(base.expr.shape(), 1.0, base.where);
  return build<PowNumber>({base}, p);
}

}  // namespace gradus
