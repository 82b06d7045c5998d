#pragma once

#include "ops/kernels/gemm.hpp"

namespace gradus {

/// Products whose rows of A and columns of B are contiguous: each element is the dot product of two of them,
/// some at a time: rows of A where n is 1, and else columns of B. Sixteen floats or eight doubles, or fewer
/// where k is less, are added up side by side, so that the order of the sum depends on k alone.
template <class T> GemmKernel<T> row_dots();

}  // namespace gradus
