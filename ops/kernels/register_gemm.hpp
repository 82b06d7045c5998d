#pragma once

#include "ops/kernels/gemm.hpp"

namespace gradus {

/// For matrices that fit the caches, where packing them as a library does costs more than it gains: tiles of
/// c stay in registers, a and b are read where they lie. Every element is summed in the order of p, whatever
/// m and n. For b_column 1 and an n of at least a vector of the instruction set.
template <class T>
GemmKernel<T> register_gemm();

/// For outer products, which have a k of 1: for rows of at least 16 bytes, and a b_column of 1.
template <class T>
GemmKernel<T> outer_gemm();

/// For small products whose rows of A and columns of B are contiguous: each element is the dot product of two
/// of them, some at a time: rows of A where n is 1, and else columns of B.
template <class T>
GemmKernel<T> dot_gemm();

extern template GemmKernel<float> register_gemm();
extern template GemmKernel<double> register_gemm();
extern template GemmKernel<float> outer_gemm();
extern template GemmKernel<double> outer_gemm();
extern template GemmKernel<float> dot_gemm();
extern template GemmKernel<double> dot_gemm();

}  // namespace gradus
