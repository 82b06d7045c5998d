#pragma once

#include <cstdint>

namespace gradus {

/// c[i, j] = Σ a[i·a_row + p·a_column] · b[p·b_row + j] over p < k, for i < m, j < n; c is row-major with
/// rows n apart. For matrices that fit the caches, where packing them as a library does costs more than it
/// gains: tiles of c stay in registers, a and b are read where they lie. Every element is summed in the order
/// of p, whatever m and n. n must be at least 4 (float) or 2 (double).
template <class T>
struct RegisterGemm {
  std::int64_t m, n, k;
  const T* a;
  std::int64_t a_row, a_column;
  const T* b;
  std::int64_t b_row;
  T* c;

  void operator()() const;
};

extern template struct RegisterGemm<float>;
extern template struct RegisterGemm<double>;

}  // namespace gradus
