#pragma once

#include <vector>

#include "framework/check/checked_function.hpp"
#include "gradus/check/gradient_check.hpp"

namespace GRADUS_PUBLIC gradus {

/// Compares the Jacobian with differences: of every entry, or as the fast mode does.
std::vector<CheckedTensor> check_jacobian(const CheckedFunction& system, const GradientCheckOptions& options,
                                          int order);

}  // namespace gradus
