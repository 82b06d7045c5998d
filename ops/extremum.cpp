#include "gradus/ops/extremum.hpp"

#include <cmath>

#include "gradus/ops/comparison.hpp"
#include "gradus/ops/rules.hpp"

namespace gradus {

namespace {

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using math::where, std::abs;

template <bool largest> struct Extremum final : Binary<Extremum<largest>> {
  static constexpr std::string_view name = largest ? "maximum" : "minimum", onnx = largest ? "Max" : "Min";
  static constexpr Traits extra_traits{.commutative = true};
  // a + b: NaN when one of them is.
  template <class T> static T f(T a, T b) { return where(reaches(a, b), a, where(beats(b, a), b, a + b)); }
  template <class T> static T da(T a, T b, T) { return T(0.5) * (beats(a, b) + reaches(a, b)); }
  template <class T> static T db(T a, T b, T y) { return da(b, a, y); }

  static auto beats(auto a, auto b) { return largest ? a > b : a < b; }
  static auto reaches(auto a, auto b) { return largest ? a >= b : a <= b; }
};

struct Abs final : Unary<Abs> {
  static constexpr std::string_view name = "abs", onnx = "Abs";
  template <class T> static T f(T x) { return abs(x); }
  template <class T> static T d(T x, T) { return (x > 0) - (x < 0); }
};

struct Clip final : Unary<Clip> {
  static constexpr std::string_view name = "clip";
  Clip(double low, double high) : lower(low), upper(high) {}
  auto attributes() const { return std::tuple(attribute("lower", lower), attribute("upper", upper)); }
  OnnxSpelling onnx(InputShapes) const { return {{"Clip", {OnnxInput{0}, lower, upper}}}; }
  template <class T> T f(T x) const {
    return where(x < T(lower), T(lower), where(x > T(upper), T(upper), x));
  }
  template <class T> T d(T x, T) const { return (x >= lower) * (x <= upper); }

  double lower;
  double upper;
};

}  // namespace

Expr maximum(Arg a, Arg b) { return build<Extremum<true>>({a, b}); }

Expr minimum(Arg a, Arg b) { return build<Extremum<false>>({a, b}); }

Expr abs(Arg x) { return build<Abs>({x}); }

Expr clip(Arg x, double lower, double upper) {
  if (!(lower <= upper)) fail(Clip::name, {&x, 1}, "the lower bound is not at most the upper bound");
  return build<Clip>({x}, lower, upper);
}

}  // namespace gradus
