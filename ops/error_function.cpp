#include "gradus/ops/error_function.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "gradus/ops/activation.hpp"
#include "gradus/ops/comparison.hpp"
#include "gradus/ops/rules.hpp"
#include "gradus/ops/where.hpp"

namespace gradus {

namespace {

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using std::erf, std::erfc, math::sigmoid, math::where;

constexpr double two_over_root_pi = 1.12837916709551257390, one_over_root_two_pi = 0.39894228040143267794,
                 root_half = 0.70710678118654752440;

struct Erf final : Unary<Erf> {
  static constexpr std::string_view name = "erf", onnx = "Erf";
  template <class T> static T f(T x) { return erf(x); }
  template <class T> static T d(T x, T) { return two_over_root_pi * gaussian(x, 1); }
};

struct Erfc final : Unary<Erfc> {
  static constexpr std::string_view name = "erfc";
  static OnnxSpelling onnx(InputShapes) { return {{"Erf", {OnnxInput{0}}}, {"Sub", {1.0, OnnxResult{0}}}}; }
  template <class T> static T f(T x) { return erfc(x); }
  template <class T> static T d(T x, T) { return -two_over_root_pi * gaussian(x, 1); }
};

struct Gaussian final : Unary<Gaussian> {
  static constexpr std::string_view name = "gaussian";
  explicit Gaussian(double factor)
      : a(factor), scale(std::ldexp(1.0, std::clamp(std::ilogb(factor) / 2, -126, 126))) {}
  auto attributes() const { return std::tuple(attribute("a", a)); }
  OnnxSpelling onnx(InputShapes) const {
    return {{"Mul", {OnnxInput{0}, OnnxInput{0}}}, {"Mul", {OnnxResult{0}, -a}}, {"Exp", {OnnxResult{1}}}};
  }
  template <class T> T f(T x) const {
    using math::gaussian;
    using Number = std::conditional_t<sizeof(T) == sizeof(float), float, double>;
    constexpr double least = std::numeric_limits<Number>::min(), most = std::numeric_limits<Number>::max();
    return gaussian(x * T(scale), T(std::clamp(a / scale / scale, least, most)));
  }
  // The last factor may be ∞ in float.
  template <class T> T d(T x, T y) const {
    return weighted(y, where(equal(x, 0), 0, x * scale * (-2 * (a / scale))));
  }

  double a;
  // A power of two that brings a near 1: a itself may be no number of the element type.
  double scale;
};

// Φ(x) in ONNX, for a step after these four.
OnnxSpelling normal_cdf_in_onnx() {
  return {{"Mul", {OnnxInput{0}, root_half}},
          {"Erf", {OnnxResult{0}}},
          {"Add", {OnnxResult{1}, 1.0}},
          {"Mul", {OnnxResult{2}, 0.5}}};
}

struct NormalCdf final : Unary<NormalCdf> {
  static constexpr std::string_view name = "normal_cdf";
  static OnnxSpelling onnx(InputShapes) { return normal_cdf_in_onnx(); }
  template <class T> static T f(T x) {
    using math::normal_cdf;
    return normal_cdf(x);
  }
  template <class T> static T d(T x, T) { return one_over_root_two_pi * gaussian(x, 0.5); }
};

struct Gelu final : Unary<Gelu> {
  static constexpr std::string_view name = "gelu";
  static OnnxSpelling onnx(InputShapes) {
    OnnxSpelling steps = normal_cdf_in_onnx();
    steps.push_back({"Mul", {OnnxInput{0}, OnnxResult{3}}});
    return steps;
  }
  template <class T> static T f(T x) {
    using math::gelu;
    return gelu(x);
  }
  template <class T> static T d(T x, T) {
    return normal_cdf(x) + weighted(gaussian(x, 0.5), one_over_root_two_pi * x);
  }
};

struct GeluTanh final : CompositeOp<GeluTanh, 1> {
  static constexpr std::string_view name = "gelu_tanh";
  // 2√(2/π), and 0.044715 times that.
  static constexpr double linear = 1.59576912160573071175, cubic = 0.07135481627260025;
  static OnnxSpelling onnx(InputShapes) {
    return {{"Mul", {OnnxInput{0}, OnnxInput{0}}}, {"Mul", {OnnxResult{0}, cubic}},
            {"Add", {OnnxResult{1}, linear}},      {"Mul", {OnnxInput{0}, OnnxResult{2}}},
            {"Sigmoid", {OnnxResult{3}}},          {"Mul", {OnnxInput{0}, OnnxResult{4}}}};
  }
  template <class T> static T f(T x) {
    // Far out it is 0 or x, and no power may overflow there, which would leave ∞ · 0 to a derivative.
    const T above = where(x < T(-50), T(-50), x), within = where(above > T(50), T(50), above);
    return where(x > T(50), x, within * sigmoid(within * (T(linear) + T(cubic) * (within * within))));
  }
};

}  // namespace

Expr erf(Arg x) { return build<Erf>({x}); }
Expr erfc(Arg x) { return build<Erfc>({x}); }

Expr gaussian(Arg x, double a) {
  if (!(a > 0 && std::isfinite(a))) fail(Gaussian::name, {&x, 1}, "the factor a must be positive and finite");
  return build<Gaussian>({x}, a);
}

Expr normal_cdf(Arg x) { return build<NormalCdf>({x}); }
Expr gelu(Arg x) { return build<Gelu>({x}); }
Expr gelu_tanh(Arg x) { return build<GeluTanh>({x}); }

}  // namespace gradus
