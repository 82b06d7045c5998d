#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "recipe.hpp"

/// The checks that every graph must pass.
namespace gradus::fuzz {

struct Failure {
  std::string
      check;  ///< "build", "error", "finite", "raw", "optimised", "plans", "float", "updates", "gradient"
  std::string detail;
};

/// Do both say the same, but for places and numbers? A graph that is cut down may fail in other ways.
bool same_kind(const Failure& a, const Failure& b);

/// Counts the checks that were made, and those that could not be.
struct Tally {
  std::size_t graphs = 0;
  std::size_t steps = 0;
  std::size_t tensors = 0;        ///< outputs and gradients
  std::size_t unstable = 0;       ///< of these, those that are rounding in double
  std::size_t float_skipped = 0;  ///< and those that are ill-conditioned in float
  std::size_t programs = 0;       ///< with updates, run
  std::size_t gradient_checks = 0;
  std::size_t second_order = 0;
  std::size_t moved = 0;   ///< gradient checks that failed, but not at a point nearby: at a kink, or unlucky
  std::size_t mixing = 0;  ///< graphs that may mix samples
  std::size_t apart = 0;   ///< of these, those that do not at their point
  std::string text() const;
};

struct CheckOptions {
  bool full = false;  ///< every entry of the Jacobian, at one point only; for measuring the check itself
};

/// The first check that the graph fails; nothing when it passes all.
std::optional<Failure> check(const Recipe& recipe, Tally& tally, const CheckOptions& options = {});

}  // namespace gradus::fuzz
