#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gradus/graph/shape.hpp"

namespace GRADUS_PUBLIC gradus {

/// One comparison.
struct CheckedEntry {
  std::string what;        ///< "[2, 0]", "output 3, [2, 0]" or "direction 7"
  double analytic = 0;     ///< the gradient that was to be checked
  double numeric = 0;      ///< what the differences say
  double uncertainty = 0;  ///< of `numeric`
  double error = 0;        ///< |analytic − numeric| over the largest entry of this tensor's gradient
  double excess = 0;       ///< |analytic − numeric| over what is allowed: above 1 fails; infinite for NaN
};

/// The verdict on one tensor's gradient, at one order.
struct CheckedTensor {
  std::string name;          ///< of the parameter or input
  Extents extents;           ///< its shape
  int order = 1;             ///< of the derivative
  std::size_t compared = 0;  ///< how many entries
  std::size_t nonzero = 0;   ///< comparisons of anything but 0 with 0
  std::size_t kinks = 0;     ///< entries at a kink
  /// Entries that the differences leave open: no step resolves the function, and too many of these fail, like
  /// kinks; or rounding hides the whole of a small gradient, which does not.
  std::size_t unsettled = 0;
  std::string kink_at;               ///< the first of them: which value to move
  std::string unsettled_at;          ///< where
  double worst_error = 0;            ///< in units of what is allowed
  bool ok = true;                    ///< whether all entries agree
  bool sampled = false;              ///< whether directions and some entries stand for all: the fast mode
  CheckedEntry worst;                ///< the entry of the largest excess
  std::vector<CheckedEntry> failed;  ///< worst first, at most 20
  std::size_t failures = 0;          ///< how many entries do not
};

/// Something other than the differences that must hold.
struct CheckedProperty {
  std::string name;    ///< "finite", "deterministic", "zero cotangent", "batch", "optimised = as written",
                       ///< "memory plans"
  bool ok = true;      ///< whether it holds
  std::string detail;  ///< why not
};

/// The findings of a check.
struct GradientReport {
  std::vector<CheckedTensor> tensors;       ///< worst first
  std::vector<CheckedProperty> properties;  ///< besides the comparisons
  std::vector<std::string> suspects;  ///< ops that fail by themselves: "swish#7 [B, 3] at model.cpp:12: …"

  /// Whether everything agrees.
  bool ok() const;
  /// The largest error of any tensor at this order (0: all).
  double worst_error(int order = 0) const;
  /// A table, worst first, then what failed and why.
  std::string text() const;
};

}  // namespace gradus
