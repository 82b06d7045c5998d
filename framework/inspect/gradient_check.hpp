#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "gradus/framework/graph/graph.hpp"

/// Compares gradients with 4-point central differences, in double, whatever precision a model trains in.
namespace gradus {

/// A point at which to check: the values of inputs, parameters and state, row-major, by name.
using Point = std::map<std::string, std::vector<double>, std::less<>>;

/// One entry of a gradient.
struct CheckedEntry {
  std::size_t index = 0;   ///< row-major, within its tensor
  double analytic = 0;     ///< what was to be checked
  double numeric = 0;      ///< what the differences say
  double uncertainty = 0;  ///< of `numeric`: truncation from two step sizes, and rounding
  double error = 0;        ///< |analytic − numeric| over the tensor's largest numeric or analytic entry
};

/// The verdict on one tensor's gradient.
struct CheckedTensor {
  std::string name;
  std::vector<std::int64_t> extents;
  bool ok = true;
  CheckedEntry worst;                ///< the entry that is furthest from its tolerance
  std::vector<CheckedEntry> failed;  ///< the entries out of tolerance, in order
};

struct GradientReport {
  std::vector<CheckedTensor> tensors;

  bool ok() const;
  double worst_error() const;
  /// A table, a row per tensor, and the failed entries.
  std::string text() const;
};

struct GradientCheckOptions {
  double step = 1e-3;       ///< of the differences, times max(1, |x|)
  double tolerance = 1e-8;  ///< of an entry's error, beyond what the differences themselves leave uncertain
  std::uint64_t seed = 1;   ///< of the random cotangent of an expression that is no scalar
};

/// A tensor of a point with the gradient that is claimed for it.
struct ClaimedGradient {
  std::string name;
  std::vector<double> values;
  std::vector<double> gradient;
};

/// A scalar function of all claimed tensors' values, in their order.
using ScalarFunction = std::function<double(const std::vector<std::vector<double>>& values)>;

/// Checks a hand-derived gradient of any C++ function against differences of that very function. A NaN or an
/// infinity anywhere fails.
GradientReport check_gradient(const ScalarFunction& function, const std::vector<ClaimedGradient>& claimed,
                              const GradientCheckOptions& options = {});

/// Checks the graph's own gradient of an expression with respect to the given leaves, each entry of them. The
/// expression may have any shape: its cotangent is random, because summing would hide errors that cancel.
/// Error when the point lacks a leaf that the expression needs.
GradientReport check_gradient(const Expr& expr, std::span<const Expr> wrt, const Point& point,
                              std::int64_t batch, const GradientCheckOptions& options = {});

}  // namespace gradus
