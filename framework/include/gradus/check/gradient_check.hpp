#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/check/gradient_report.hpp"
#include "gradus/inspect/node_values.hpp"

/// NAME
///   check_gradient - holds gradients against differences, and against what else must be true of them
///
/// SYNOPSIS
///   GradientReport report = check_gradient(expr, wrt, point, batch);
///   if (!report.ok()) std::cerr << report.text();
///
/// DESCRIPTION
///   Everything is computed in double, whatever precision the model trains in. Each entry of a gradient is
///   compared with central differences; the tolerance is what the differences themselves leave uncertain (see
///   difference.hpp), not a number that hides small terms. Only what is below 1e-10 of the tensor's largest
///   entry may be the rounding of the gradient itself, unless one of the two is exactly 0. The expression may
///   have any shape: every output is looked at, or, in the fast mode, random combinations of them, never
///   their plain sum, in which errors cancel.
///
///   Beside the differences, these must hold: all values are finite; two runs give the same bits; a zero
///   cotangent gives zero gradients; the gradient of a batch is what the samples' gradients combine to; the
///   optimised program computes what the program as written does; every way to plan memory gives the same
///   bits.
///
///   At a kink of the function (relu at 0) the gradient may lie anywhere between the one-sided
///   derivatives; such entries are counted, and more than one in a hundred (of those that are not 0 on both
///   sides) fails the check: move the point. So are entries whose differences do not settle, as where a
///   function oscillates between two neighbouring numbers: such an entry is called unsettled, neither right
///   nor wrong.
///
///   The fast mode takes the same time for any number of parameters, but for that of the runs. A random
///   direction along a tensor meets all entries at once: one that is wrong by more than about 1e-8 of the
///   norm of its tensor's gradient is found, and named. It can miss what is smaller; and, where several
///   outputs are combined at random or kinks limit the steps, what is smaller than the uncertainty that the
///   report states for the directions.
///
/// DIAGNOSTICS
///   On failure every op is checked by itself at the values that reach it, and those that fail are named as
///   suspects with the line that built them.
namespace GRADUS_PUBLIC gradus {

/// How far a check is.
struct CheckProgress {
  std::string_view doing;  ///< "gradient", "second gradient", "properties" or "suspects"
  std::size_t done = 0;    ///< comparisons, of `doing`
  std::size_t of = 0;      ///< all of them
};
/// Is told before each comparison.
using OnCheckProgress = std::function<void(const CheckProgress&)>;

/// Settings of a check: what is compared, and how strictly.
struct GradientCheckOptions {
  /// Which entries are compared.
  enum class Mode {
    full,  ///< every entry of the Jacobian
    fast,  ///< random directions ⟨v, J u⟩ and some sampled entries of each tensor: for large models
    /// Every entry if that takes less than about five seconds, by an estimate from the sizes (entries · 27
    /// runs of the function) and a quarter of a gigabyte (outputs · (outputs + entries) numbers); else as
    /// `fast`. So some thousand parameters are checked one by one.
    automatic
  };
  Mode mode = Mode::automatic;  ///< which entries
  int order = 1;  ///< 2: the gradient of the gradient (of its product with a random cotangent), too
  std::int64_t directions = 50;  ///< fast: random directions, spread over the tensors
  std::int64_t samples = 200;    ///< fast: entries, spread over the tensors
  std::uint64_t seed = 1;        ///< of cotangents, directions and samples
  bool mixes_batch = false;  ///< samples influence each other, as in batch norm; then they must be shown to
  bool properties = true;    ///< also check what the description lists beside the differences
  const OnCheckProgress* progress = nullptr;  ///< told how far the check is; it must outlive the call
};

/// Checks the graph's gradient of `expr` with respect to leaves. Error when the point lacks a value, or a
/// `wrt` is no named leaf.
GradientReport check_gradient(const Expr& expr, std::span<const Expr> wrt, const Point& point,
                              std::int64_t batch, const GradientCheckOptions& options = {});

/// Checks with respect to all inputs, parameters and state through which a gradient can flow.
GradientReport check_gradient(const Expr& expr, const Point& point, std::int64_t batch,
                              const GradientCheckOptions& options = {});

/// A hand-derived gradient of a scalar expression: values of leaves in, gradients by leaf out.
using HandGradient = std::function<Point(const Point& point)>;

/// Checks a hand-derived gradient against differences of the expression and against the tape.
GradientReport check_gradient(const Expr& loss, const HandGradient& by_hand, const Point& point,
                              std::int64_t batch, const GradientCheckOptions& options = {});

/// A tensor of a point with the gradient that is claimed for it.
struct ClaimedGradient {
  std::string name;              ///< for the report
  std::vector<double> values;    ///< where the function is taken
  std::vector<double> gradient;  ///< what is claimed there
};

/// A scalar function of all claimed tensors' values, in their order.
using ScalarFunction = std::function<double(const std::vector<std::vector<double>>& values)>;

/// Checks a hand-derived gradient of any C++ function against differences of that very function: no graph is
/// needed. Of the options, mode, directions, samples, seed and progress apply; the automatic mode estimates
/// that a call takes a microsecond, and ten nanoseconds for each value.
GradientReport check_gradient(const ScalarFunction& function, const std::vector<ClaimedGradient>& claimed,
                              const GradientCheckOptions& options = {});

/// A value for every leaf that `expr` needs and `given` lacks: standard normal, by the seed and the leaf's
/// name.
Point random_point(const Expr& expr, std::int64_t batch, std::uint64_t seed, Point given = {});

}  // namespace gradus
