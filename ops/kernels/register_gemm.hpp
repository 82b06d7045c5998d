#pragma once

#include "gradus/simd/isa.hpp"
#include "ops/kernels/gemm.hpp"

namespace gradus {

/// Rows of fewer elements are not worth vectors.
inline constexpr std::int64_t shortest_row = 4;

/// `Body::run<isa>` for the current instruction set.
template <class T, class Body> GemmKernel<T> kernel_for_isa() {
  return version_for_isa<Body, const GemmShape&, const T*, const T*, T*, T*>();
}

/// Products that stay in registers. Every element is a sum over one tree, which depends on k alone: it has
/// the same bits whatever m and n, in any part of the rows, and with AVX2 as with AVX-512.
template <class T> struct RegisterGemm {
  /// Any matrices: tiles of c stay in registers. Blocks of 128 products are added up one after the other, and
  /// their sums pairwise.
  static GemmKernel<T> tiles();
  /// The workspace of `tiles`, in elements.
  static std::int64_t workspace(const GemmShape& shape);

  /// Outer products, which have a k of 1; takes a b_column of 1. The bits
  /// are those of `tiles`.
  static GemmKernel<T> outer();

  /// Products whose rows of A and columns of B are contiguous: each element is the dot product of two of
  /// them, some at a time: rows of A where n is 1, and else columns of B. Sixteen floats or eight doubles are
  /// added up side by side. Takes a k of at least shortest_row.
  static GemmKernel<T> dots();
};

}  // namespace gradus
