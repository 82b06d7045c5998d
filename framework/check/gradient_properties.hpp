#pragma once

#include <span>
#include <vector>

#include "gradus/check/gradient_check.hpp"

namespace GRADUS_PUBLIC gradus {

/// Checks the properties that must hold besides the differences. `agrees` says whether the differences agree
/// with the gradient for this batch.
std::vector<CheckedProperty> check_properties(const Expr& expr, std::span<const Expr> wrt, const Point& point,
                                              std::int64_t batch, const GradientCheckOptions& options,
                                              bool agrees);

}  // namespace gradus
