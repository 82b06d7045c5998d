#pragma once

#include <cstdint>

#include "ops/kernels/gemm.hpp"

namespace gradus {

/// Products of tiles that stay in registers.
template <class T> struct RegisterGemm {
  /// Any matrices. Leaves of 256 products are added up one after the other, and their sums pairwise: an
  /// element has the same bits whatever m and n, in any part of the rows, and with AVX2 as with AVX-512.
  static GemmKernel<T> tiles();
  /// The workspace of `tiles`, in elements.
  static std::int64_t workspace(const GemmShape& shape);

  /// Outer products: k and b_column are 1.
  static GemmKernel<T> outer();
};

}  // namespace gradus
