#include "ops/kernels/row_dots.hpp"

#include <algorithm>
#include <cstring>

#include "gradus/simd/lane.hpp"
#include "ops/kernels/tree.hpp"
#include "ops/kernels/vectors.hpp"

namespace gradus {

namespace {

// y[i] = Σ m[i·stride + p] · x[p]. Of the products, as many as fill `bytes` are added up side by side, in one
// vector or several: so the instruction set changes no bit.
template <Isa isa, class T, std::size_t bytes> struct RowDots {
  using Native = Vectors<T, std::min(bytes, widest_vector<isa>)>;
  using Vector = typename Native::Vector;
  static constexpr int vectors = bytes / sizeof(Vector);
  static constexpr std::int64_t width = bytes / sizeof(T);
  static constexpr int together = 4;
  static constexpr std::int64_t leaf = 256 * width;

  // The upper half is added to the lower one, again and again.
  static T add_up(Vector (&sums)[vectors]) {
    for (int half = vectors / 2; half > 0; half /= 2)
      for (int v = 0; v < half; ++v) sums[v] += sums[v + half];
    T numbers[Native::width];
    std::memcpy(numbers, &sums[0], sizeof(Vector));
    for (std::int64_t half = Native::width / 2; half > 0; half /= 2)
      for (std::int64_t i = 0; i < half; ++i) numbers[i] += numbers[i + half];
    return numbers[0];
  }

  template <int count> static void some(std::int64_t k, const T* m, std::int64_t stride, const T* x, T* y) {
    Vector sums[count][vectors] = {};
    Lane<T, isa> rest[count];
    std::fill_n(rest, count, 0);
    std::int64_t p = 0;
    for (; p + width <= k; p += width)
      for (int v = 0; v < vectors; ++v) {
        const std::int64_t at = p + v * Native::width;
        Vector of_x, of_row;
        Native::load(x + at, of_x);
        for (int r = 0; r < count; ++r) {
          Native::load(m + r * stride + at, of_row);
          sums[r][v] += of_row * of_x;
        }
      }
    for (; p < k; ++p)
      for (int r = 0; r < count; ++r)
        rest[r] = mul_add(Lane<T, isa>(m[r * stride + p]), Lane<T, isa>(x[p]), rest[r]);
    for (int r = 0; r < count; ++r) y[r] = add_up(sums[r]) + rest[r];
  }

  template <int count> static void all(std::int64_t k, const T* m, std::int64_t stride, const T* x, T* y) {
    if (k <= leaf) return some<count>(k, m, stride, x, y);
    T slots[64][count];
    walk_tree(
        k, leaf,
        [&](std::int64_t slot, std::int64_t from, std::int64_t to) {
          some<count>(to - from, m + from, stride, x + from, slots[slot]);
        },
        [&](std::int64_t slot) {
          for (int r = 0; r < count; ++r) slots[slot][r] += slots[slot + 1][r];
        });
    std::copy_n(slots[0], count, y);
  }

  static void run(std::int64_t rows, std::int64_t k, const T* m, std::int64_t stride, const T* x, T* y) {
    std::int64_t i = 0;
    for (; i + together <= rows; i += together) all<together>(k, m + i * stride, stride, x, y + i);
    for (; i < rows; ++i) all<1>(k, m + i * stride, stride, x, y + i);
  }
};

// Each row of a with all columns of b; or the only column with all rows.
struct MultiplyByDots {
  template <Isa isa, class T> static void run(const GemmShape& g, const T* a, const T* b, T* c, T*) {
    const bool turned = g.n == 1;
    const std::int64_t rows = turned ? g.m : g.n, stride = turned ? g.a_row : g.b_column;
    with_vectors<Isa::avx512, T>(g.k, [&](auto bytes) {
      for (std::int64_t i = 0; i < (turned ? 1 : g.m); ++i)
        RowDots<isa, T, bytes>::run(rows, g.k, turned ? a : b, stride, turned ? b : a + i * g.a_row,
                                    c + i * rows);
    });
  }
};

}  // namespace

template <class T> GemmKernel<T> row_dots() { return kernel_for_isa<T, MultiplyByDots>(); }

template GemmKernel<float> row_dots();
template GemmKernel<double> row_dots();

}  // namespace gradus
