#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// A derivative by differences, with what can be said of its error.
struct Difference {
  double value = 0;        ///< the best estimate
  double uncertainty = 0;  ///< an estimate of |value − the derivative|: truncation and rounding
  bool settled = false;    ///< the uncertainty is a millionth of the slopes, or what rounding must leave
  bool kink = false;  ///< the function has no derivative there; `left` and `right` are its one-sided ones
  double left = 0;    ///< the slope on the left of a kink
  double right = 0;   ///< and on its right
};

/// Writes a function's outputs at the point moved by `offset` along some line.
using LineFunction = std::function<void(double offset, std::span<double> outputs)>;

/// The derivatives at offset 0 of each of the function's outputs.
///
/// 4-point central differences, (f(−2h) − 8f(−h) + 8f(h) − f(2h)) / 12h of order h⁴ (Abramowitz &
/// Stegun 25.3.6), at step sizes that halve from `largest_step` on and share their points. Where truncation
/// or rounding spoils one, its neighbours differ from it; where it steps over a kink, all smaller ones do.
/// The step that the others confirm best is taken; by how much they do not, with the rounding that the values
/// themselves must have, is the uncertainty. Twelve halvings do for most functions; where they do not, as
/// near a kink or a pole, there are up to 42.
///
/// A kink is reported where left and right differences disagree, and go on to disagree as much when the step
/// is halved: for a smooth function the disagreement would halve, too.
///
/// An output that does not change by one bit has derivative 0; it is moved much farther, and the farther it
/// stays the same, the less rounding can have hidden.
///
/// `rounding`: by how much each output's value may be off, where that is known. Values that are rounded
/// within the function may not show it: between two steps of 1 + 1e-13 x there is nothing to be seen.
///
/// `finest`: the smallest step that what is moved can make. If it is given, a function that the first steps
/// are too large for, as sin(1e18 x) at 0, is looked at in ever smaller ones. Where no steps resolve the
/// function, as sin(x) at 1e14, its values look like noise: then the uncertainty is infinite.
std::vector<Difference> differentiate(const LineFunction& function, std::size_t outputs, double largest_step,
                                      std::span<const double> rounding = {},
                                      double finest = std::numeric_limits<double>::infinity());

}  // namespace gradus
