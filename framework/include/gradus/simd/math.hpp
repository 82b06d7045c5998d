#pragma once

#include <cmath>
#include <concepts>

#include "gradus/base/public.hpp"

/// The functions that rules need besides std's, for plain numbers. A rule says `using math::where;` and lets
/// argument-dependent look-up find the graph builders of the same names.
// NOLINTNEXTLINE(modernize-concat-nested-namespaces): the attribute belongs to the outer one
namespace GRADUS_PUBLIC gradus {
namespace math {

/// `yes` or `no`.
template <std::floating_point T> T where(bool condition, T yes, T no) { return condition ? yes : no; }

/// weight · value, but 0 where the weight is 0, whatever the value: 0 · ∞ is 0 here.
template <std::floating_point T> T weighted(T weight, T value) {
  return where(weight == 0, T(0), weight * value);
}

/// 1 / (1 + e^−x).
template <std::floating_point T> T sigmoid(T x) {
  using std::exp;
  return 1 / (1 + exp(-x));
}

/// x, but 0 of its sign where the processor takes denormals for 0, as in run(): std's functions look at the
/// bits. A compiler may leave out |x| + 0, but no comparison.
template <class T> T flushed(T x) { return x == T(0) ? T(std::copysign(T(0), x)) : x; }

/// e^−(a·x²) for a > 0. Made up for is what x² was rounded by, which the exponential would magnify.
inline double gaussian(double x, double a) {
  const double square = x * x, s = a * square;
  return s > 800 ? 0 : std::exp(-s) * (1 - (std::fma(a, square, -s) + a * std::fma(x, x, -square)));
}
inline float gaussian(float x, float a) { return static_cast<float>(gaussian(double{x}, double{a})); }

/// The probability that a standard normal variable is below x: erfc(−x/√2) / 2, with the same care.
inline double normal_cdf(double x) {
  const double v = x * -0.70710678118654752440, s = x * x / 2, found = std::erfc(v) / 2;
  return v > 0.5 && v < 28 ? found * (1 + (std::fma(v, v, -s) - std::fma(x, x / 2, -s))) : found;
}
inline float normal_cdf(float x) { return static_cast<float>(normal_cdf(double{x})); }

/// x · normal_cdf(x), and 0 at −∞.
inline double gelu(double x) {
  if (!(x < -37)) return x * normal_cdf(x);
  const long double near = x < -50 ? -50 : x;  // The other factor is too small for a normal double.
  return static_cast<double>(near * std::erfc(near * -0.70710678118654752440L) / 2);
}
inline float gelu(float x) { return static_cast<float>(gelu(double{x})); }

}  // namespace math
}  // namespace gradus
