#pragma once

#include <vector>

#include "framework/check/gradient_system.hpp"
#include "gradus/check/gradient_check.hpp"

namespace GRADUS_PUBLIC gradus {

/// Compares the Jacobian with differences.
std::vector<CheckedTensor> check_jacobian(const GradientSystem& system, const GradientCheckOptions& options,
                                          int order);

}  // namespace gradus
