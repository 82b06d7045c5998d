#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace gradus {

/// A derivative by differences, with what can be said of its error.
struct Difference {
  double value = 0;
  double uncertainty = 0;  ///< an estimate of |value − the derivative|: truncation and rounding
  bool kink = false;  ///< the function has no derivative there; `left` and `right` are its one-sided ones
  double left = 0;
  double right = 0;
};

/// Writes a function's outputs at the point moved by `offset` along some line.
using LineFunction = std::function<void(double offset, std::span<double> outputs)>;

/// The derivatives at offset 0 of each of the function's outputs.
///
/// 4-point central differences, (f(−2h) − 8f(−h) + 8f(h) − f(2h)) / 12h of order h⁴ (Abramowitz &
/// Stegun 25.3.6), at step sizes that halve from `largest_step` on and share their points. Where truncation
/// or rounding spoils one, its neighbours differ from it: the step whose two neighbours agree with it best is
/// taken, and the larger of the two disagreements, with the rounding that the values themselves must have, is
/// the uncertainty.
///
/// A kink is reported where left and right differences disagree, and go on to disagree as much when the step
/// is halved: for a smooth function the disagreement would halve, too.
std::vector<Difference> differentiate(const LineFunction& function, std::size_t outputs, double largest_step);

}  // namespace gradus
