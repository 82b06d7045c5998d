#pragma once

#include <string>
#include <vector>

#include "framework/check/difference.hpp"
#include "gradus/check/gradient_check.hpp"

/// A part of the gradient check; users want gradient_check.hpp.
namespace GRADUS_PUBLIC gradus {

enum class Agreement {
  full,     ///< within what the difference leaves uncertain
  kink,     ///< between the one-sided derivatives at a kink
  unknown,  ///< there are no differences to compare with
  none,
};

Agreement compare(double analytic, const Difference& difference);

/// The verdict on one tensor, comparison by comparison.
class Verdict {
 public:
  Verdict(std::string name, Extents extents, int order);

  /// An entry counts when it is at a kink, or its differences leave open what it is. A direction does not: it
  /// crosses every kink there is.
  void add(std::string what, double analytic, const Difference& difference, bool is_direction = false);

  CheckedTensor finish();

 private:
  struct Item {
    CheckedEntry entry;
    bool counts = false;   // when it is too uncertain
    bool settled = false;  // but for what rounding must leave
  };
  CheckedTensor tensor_;
  double largest_ = 0;
  std::vector<Item> entries_;
};

/// "[2, 0]".
std::string index_text(std::size_t index, const Extents& extents);

/// The step from which to halve, for an entry x of a tensor.
double first_step(double x, const std::vector<double>& tensor);

/// The smallest step that x can make, with some digits of it.
double finest_step(double x);

/// The same along a direction, by which every entry moves.
double finest_step(const std::vector<double>& tensor, const std::vector<double>& tangent);

}  // namespace gradus
