#pragma once

#include <cstdint>

namespace gradus {

/// C [m, n] = op(A) · op(B), row-major, where op(A) is [m, k] and op(B) is [k, n]; a transposed operand is
/// stored the other way round. Chooses between own loops, matrix-vector and matrix-matrix BLAS by size.
struct Gemm {
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
  bool transpose_a;
  bool transpose_b;

  void operator()(const float* a, const float* b, float* c) const;
  void operator()(const double* a, const double* b, double* c) const;
};

}  // namespace gradus
