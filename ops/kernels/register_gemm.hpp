#pragma once

#include "gradus/simd/isa.hpp"
#include "ops/kernels/gemm.hpp"

namespace gradus {

/// Rows of fewer elements are not worth vectors.
inline constexpr std::int64_t shortest_row = 4;

/// `Body::run<isa>` for the current instruction set.
template <class T, class Body> GemmKernel<T> kernel_for_isa() {
  return version_for_isa<Body, const GemmShape&, const T*, const T*, T*>();
}

/// Products that stay in registers.
template <class T> struct RegisterGemm {
  /// Matrices that fit the caches, where packing them as a library does costs more than it gains: tiles
  /// of c stay in registers, a and b are read where they lie. Every element is summed in the order of p,
  /// whatever m and n. Takes b_column 1 and an n of at least a vector of the instruction set.
  static GemmKernel<T> tiles();

  /// Outer products, which have a k of 1; takes an n of at least shortest_row, and a b_column of 1.
  static GemmKernel<T> outer();

  /// Small products whose rows of A and columns of B are contiguous: each element is the dot product of
  /// two of them, some at a time: rows of A where n is 1, and else columns of B. Takes a k of at least
  /// shortest_row.
  static GemmKernel<T> dots();
};

}  // namespace gradus
