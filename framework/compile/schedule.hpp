#pragma once

#include "framework/compile/plan.hpp"

namespace GRADUS_PUBLIC gradus {

/// Gives every value a buffer and orders the steps: by their data, and so that all updates see the variables
/// as they were before the run. A fused loop that computes an update writes it straight into the variable,
/// after everyone else who reads that; where this cannot be (a swap), the value is copied at the end.
Plan schedule(Plan plan);

/// Whether a fused loop may write where `buffer` lies: it reads each element there, if at all, before it
/// writes over it.
bool may_overwrite(const Step& step, BufferId buffer);

}  // namespace gradus
