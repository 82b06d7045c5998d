#pragma once

#include <cstdint>

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// How `linear_recurrence` runs.
struct Recurrence {
  double first = 0;           ///< the value at the end where it starts
  bool from_the_end = false;  ///< from the last index to the first
};

/// y along an axis, of the same shape: first, then yᵢ = factorsᵢ₋₁ · yᵢ₋₁ + summandsᵢ₋₁ (yᵢ₊₁ and so on from
/// the end), where 0 · ∞ counts as 0. With summands of 0 and `first` of 1, the products of all that comes
/// before. Error when the two shapes differ.
///
/// Each step is taken in double, of either element type, so that float has its digits over long axes: 10⁷
/// times 0.1 add up to within an ulp. In double, n summands of one sign lose up to n·2⁻⁵³, and commonly
/// √n·2⁻⁵³.
Expr linear_recurrence(Arg factors, Arg summands, std::int64_t axis, const Recurrence& options = {});

}  // namespace gradus
