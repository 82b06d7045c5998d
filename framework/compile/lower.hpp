#pragma once

#include <functional>
#include <vector>

#include "framework/compile/instruction.hpp"

namespace gradus {

/// Finds a buffer in memory.
template <class T> using Locate = std::function<T*(const Buffer& buffer)>;

/// The last stage: each step becomes an instruction with kernels made for its sizes and all pointers
/// resolved. Steps that are large enough are shared out among `threads`.
template <class T> std::vector<Instruction<T>> lower(const Plan& plan, const Locate<T>& locate, int threads);

/// Roughly how long a step takes, from what it computes and moves.
double estimated_nanoseconds(const Plan& plan, const Step& step);

}  // namespace gradus
