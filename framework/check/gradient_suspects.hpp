#pragma once

#include <span>
#include <string>
#include <vector>

#include "gradus/check/gradient_check.hpp"

namespace GRADUS_PUBLIC gradus {

/// Every op by itself, at the values that reach it: which of them is wrong? `gradients` are nodes that were
/// checked, too, for order 2.
std::vector<std::string> find_suspects(const Expr& expr, std::span<const Expr> gradients, const Point& point,
                                       std::int64_t batch, const GradientCheckOptions& options);

/// Leaves that move the value although no gradient reaches them, and not because it is meant to stop.
CheckedProperty forgotten_leaves(const Expr& expr, std::span<const Expr> reached, const Point& point,
                                 std::int64_t batch, const GradientCheckOptions& options);

}  // namespace gradus
