#pragma once

#include "framework/compile/plan.hpp"

namespace GRADUS_PUBLIC gradus {

/// Gives every buffer its offset: temporaries share an arena as they come to life and die, and a fused loop's
/// result takes over the memory of an operand that dies with it, if it can. Ops get their workspace, once for
/// each thread.
Plan plan_memory(Plan plan, Reuse reuse, int threads);

}  // namespace gradus
