#pragma once

#include "framework/compile/instruction.hpp"
#include "framework/runtime/workers.hpp"

namespace gradus {

/// Carries one instruction out. `workers` serve instructions of several parts, and may else be null.
template <class T>
void execute(Instruction<T>& instruction, Workers* workers);

extern template void execute(Instruction<float>&, Workers*);
extern template void execute(Instruction<double>&, Workers*);

}  // namespace gradus
