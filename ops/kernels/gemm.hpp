#pragma once

#include <cstdint>

#include "gradus/base/public.hpp"

namespace gradus {

/// c[i, j] = Σ a[i·a_row + p·a_column] · b[p·b_row + j·b_column] over p < k, for i < m, j < n; the rows of c
/// are n apart.
struct GemmShape {
  std::int64_t m, n, k;
  std::int64_t a_row, a_column;
  std::int64_t b_row, b_column;
};

template <class T>
using GemmKernel = void (*)(const GemmShape& shape, const T* a, const T* b, T* c, T* workspace);

/// C [m, n] = op(A) · op(B), row-major, where op(A) is [m, k] and op(B) is [k, n]; a transposed operand is
/// stored the other way round. Chooses by the shape, once, between own kernels and BLAS.
template <class T> class Gemm {
 public:
  /// With `reproducible`, own kernels alone, chosen by the shape alone.
  Gemm(std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_a, bool transpose_b,
       bool reproducible = false);

  /// All of the product.
  void operator()(const T* a, const T* b, T* c, T* workspace) const {
    turned_ ? kernel_(shape_, b, a, c, workspace) : kernel_(shape_, a, b, c, workspace);
  }

  /// Rows [from, to) of the product, written from c on. Where rows are cheap, they have the same bits in any
  /// such part.
  void rows(const T* a, const T* b, T* c, T* workspace, std::int64_t from, std::int64_t to) const;

  /// Whether some rows cost no more than their share of all: BLAS would prepare B anew for each call.
  bool rows_are_cheap() const { return rows_are_cheap_; }

  /// How many elements of workspace it wants.
  std::int64_t workspace() const { return workspace_; }

 private:
  GemmShape shape_;
  GemmKernel<T> kernel_;
  bool turned_ = false;  // computed as Cᵀ = op(B)ᵀ · op(A)ᵀ
  bool rows_are_cheap_ = true;
  std::int64_t workspace_ = 0;
};

}  // namespace gradus
