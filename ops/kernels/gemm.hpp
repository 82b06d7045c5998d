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

template <class T> using GemmKernel = void (*)(const GemmShape& shape, const T* a, const T* b, T* c);

/// C [m, n] = op(A) · op(B), row-major, where op(A) is [m, k] and op(B) is [k, n]; a transposed operand is
/// stored the other way round. Chooses by the shape, once, between own kernels and BLAS.
template <class T> class Gemm {
 public:
  Gemm(std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_a, bool transpose_b);

  /// All of the product.
  void operator()(const T* a, const T* b, T* c) const {
    turned_ ? kernel_(shape_, b, a, c) : kernel_(shape_, a, b, c);
  }

  /// Rows [from, to) of the product, written from c on. Where rows are cheap, they have the same bits in any
  /// such part.
  void rows(const T* a, const T* b, T* c, std::int64_t from, std::int64_t to) const {
    GemmShape part = rows_shape_;
    part.m = to - from;
    rows_kernel_(part, a + from * part.a_row, b, c);
  }

  /// Whether some rows cost no more than their share of all: BLAS would prepare B anew for each call.
  bool rows_are_cheap() const { return rows_are_cheap_; }

 private:
  GemmShape shape_;
  GemmKernel<T> kernel_;
  bool turned_ = false;  // all of it: computed as Cᵀ = op(B)ᵀ · op(A)ᵀ
  GemmShape rows_shape_{};
  GemmKernel<T> rows_kernel_;
  bool rows_are_cheap_ = true;
};

}  // namespace gradus
