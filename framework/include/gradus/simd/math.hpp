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

}  // namespace math
}  // namespace gradus
