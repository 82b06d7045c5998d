#pragma once

#include <span>

#include "framework/compile/instruction.hpp"
#include "framework/runtime/workers.hpp"

namespace gradus {

/// Carries instructions out, one after the other; `at` counts them, and so tells which one has thrown.
/// `workers` serve instructions of several parts, and may else be null.
template <class T> void execute(std::span<Instruction<T>> instructions, Workers* workers, std::size_t& at);

extern template void execute(std::span<Instruction<float>>, Workers*, std::size_t&);
extern template void execute(std::span<Instruction<double>>, Workers*, std::size_t&);

}  // namespace gradus
