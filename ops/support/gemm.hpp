#pragma once

#include <cstdint>

namespace gradus {

/// C [m, n] = op(A) · op(B), row-major, where op(A) is [m, k] and op(B) is [k, n]; a transposed operand is
/// stored the other way round. Chooses by size between own kernels and BLAS. Computing some rows gives
/// the same bits as computing them all where own kernels do it.
struct Gemm {
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
  bool transpose_a;
  bool transpose_b;

  /// Rows [from, to) of the product, written from c on.
  void rows(const float* a, const float* b, float* c, std::int64_t from, std::int64_t to) const;
  void rows(const double* a, const double* b, double* c, std::int64_t from, std::int64_t to) const;
  /// Whether some rows cost no more than their share of all: BLAS would prepare B anew for each call.
  bool takes_rows() const;
};

}  // namespace gradus
