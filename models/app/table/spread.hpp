#pragma once

#include <span>

namespace gradus {

/// How numbers lie.
struct Spread {
  double mean = 0;       ///< of all
  double deviation = 0;  ///< the root of the mean square of their distances from it

  /// Whether they are equal but for rounding.
  bool is_constant() const;
};

/// The spread of finite numbers of any size, whose squares need not be numbers of a double. The deviation is
/// 0 only where all are equal.
Spread spread_of(std::span<const double> values);

/// The root of their mean square, of numbers of any size; 0 when there are none.
double root_mean_square(std::span<const double> values);

}  // namespace gradus
