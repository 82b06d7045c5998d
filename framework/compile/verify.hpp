#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/compile/plan.hpp"

namespace GRADUS_PUBLIC gradus {

/// The faults of a program, a sentence each: inputs that do not come before their reader, shapes that
/// the op does not infer, updates of what is no variable. Empty when nothing is.
std::vector<std::string> faults_of(const Program& program);

/// The faults of a plan, found by walking its steps without knowing how they came about: values read
/// before they were written or after they were overwritten, buffers of the wrong size or place, views of dead
/// buffers, loops whose nodes are out of order, updates before a reader of the old value, outputs lost. Takes
/// plans from `fuse` (no buffers yet), `schedule` (no offsets yet) and `plan_memory`.
std::vector<std::string> faults_of(const Plan& plan);

/// Throws Error with all faults of what a stage has left.
void require_sound(std::string_view stage, const Program& program, const Plan* plan);

}  // namespace gradus
