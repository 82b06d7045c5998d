#include "ops/kernels/register_gemm.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "gradus/simd/lane.hpp"

namespace gradus {

namespace {

// A tile of c: up to 6 rows by 4 vectors, and with it a row of b and a number of a, fill 32 registers; 6 by 2
// fill 16.
constexpr int most_rows = 6;
// So many rows of b, 4 vectors wide, stay in the first-level cache.
constexpr std::int64_t depth = 128;

// Calls f with the bytes of the widest vectors that so many elements fill.
template <Isa isa, class T, class F>
void with_vectors(std::int64_t count, F f) {
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
  constexpr std::size_t widest = isa == Isa::avx512 ? 64 : isa == Isa::avx2 ? 32 : 16;
  if (bytes >= widest) return f(std::integral_constant<std::size_t, widest>());
  if constexpr (widest > 32)
    if (bytes >= 32) return f(std::integral_constant<std::size_t, 32>());
  f(std::integral_constant<std::size_t, 16>());
}

template <class T>
struct Operands : GemmShape {
  const T* a;
  const T* b;
  T* c;
};

template <class T, std::size_t bytes>
struct Tiles {
  using Vector [[gnu::vector_size(bytes)]] = T;
  static constexpr std::int64_t width = bytes / sizeof(T);

  // The columns are vectors from j on, of which the last begins at `last`: it may overlap the one before.
  template <int rows, int columns>
  static void tile(const Operands<T>& g, std::int64_t i, std::int64_t j, std::int64_t last, std::int64_t from,
                   std::int64_t to) {
    const T* a = g.a + i * g.a_row;
    T* c = g.c + i * g.n;
    const auto column = [&](int v) { return v == columns - 1 ? last : j + v * width; };
    Vector sum[rows][columns];
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < columns; ++v) {
        sum[r][v] = Vector{};
        if (from > 0) std::memcpy(&sum[r][v], c + r * g.n + column(v), bytes);
      }
    for (std::int64_t p = from; p < to; ++p) {
      Vector row[columns];
      for (int v = 0; v < columns; ++v) std::memcpy(&row[v], g.b + p * g.b_row + column(v), bytes);
      for (int r = 0; r < rows; ++r) {
        const T factor = a[r * g.a_row + p * g.a_column];
        for (int v = 0; v < columns; ++v) sum[r][v] += factor * row[v];
      }
    }
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < columns; ++v) std::memcpy(c + r * g.n + column(v), &sum[r][v], bytes);
  }

  // All rows of some columns. The rows are shared out evenly: a tile of one or two would wait for its own
  // sums.
  template <int columns>
  static void strip(const Operands<T>& g, std::int64_t j, std::int64_t last, std::int64_t from,
                    std::int64_t to) {
    const std::int64_t tiles = (g.m + most_rows - 1) / most_rows;
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t i = t * g.m / tiles;
      switch ((t + 1) * g.m / tiles - i) {
        case 1:
          tile<1, columns>(g, i, j, last, from, to);
          break;
        case 2:
          tile<2, columns>(g, i, j, last, from, to);
          break;
        case 3:
          tile<3, columns>(g, i, j, last, from, to);
          break;
        case 4:
          tile<4, columns>(g, i, j, last, from, to);
          break;
        case 5:
          tile<5, columns>(g, i, j, last, from, to);
          break;
        default:
          tile<most_rows, columns>(g, i, j, last, from, to);
      }
    }
  }

  template <int columns>
  static void whole_strip(const Operands<T>& g, std::int64_t j, std::int64_t last) {
    for (std::int64_t from = 0; from < g.k; from += depth)
      strip<columns>(g, j, last, from, std::min(g.k, from + depth));
  }

  static void run(const Operands<T>& g) {
    constexpr int widest = bytes == 64 ? 4 : 2;
    std::int64_t j = 0;
    for (; j + widest * width <= g.n; j += widest * width)
      whole_strip<widest>(g, j, j + (widest - 1) * width);
    const std::int64_t left = g.n - j, last = g.n - width;
    // What is left goes together, with some columns twice; where that is less than a vector, once more with
    // some of the strip before, and in one go, as what is there already must not be added to.
    if (left > 3 * width)
      whole_strip<widest>(g, j, last);
    else if (left > 2 * width)
      whole_strip<std::min(widest, 3)>(g, j, last);
    else if (left > width)
      whole_strip<2>(g, j, last);
    else if (left == width)
      whole_strip<1>(g, j, last);
    else if (left > 0)
      strip<1>(g, last, last, 0, g.k);
  }

  // Of a column and a row: some columns of the row stay in registers, and nothing is to be added up.
  template <int columns>
  static void outer_strip(const Operands<T>& g, std::int64_t j, std::int64_t last) {
    const auto column = [&](int v) { return v == columns - 1 ? last : j + v * width; };
    Vector row[columns];
    for (int v = 0; v < columns; ++v) std::memcpy(&row[v], g.b + column(v), bytes);
    for (std::int64_t i = 0; i < g.m; ++i)
      for (int v = 0; v < columns; ++v) {
        const Vector product = g.a[i * g.a_row] * row[v];
        std::memcpy(g.c + i * g.n + column(v), &product, bytes);
      }
  }

  // What is left from j on, by as few vectors as hold it.
  template <int columns>
  static void outer_rest(const Operands<T>& g, std::int64_t j) {
    if constexpr (columns > 1)
      if (g.n - j <= (columns - 1) * width) return outer_rest<columns - 1>(g, j);
    outer_strip<columns>(g, j, g.n - width);
  }

  static void outer(const Operands<T>& g) {
    constexpr int widest = 8;
    std::int64_t j = 0;
    for (; j + widest * width <= g.n; j += widest * width)
      outer_strip<widest>(g, j, j + (widest - 1) * width);
    if (j < g.n) outer_rest<widest>(g, j);
  }
};

struct Multiply {
  template <Isa isa, class T>
  static void run(const GemmShape& shape, const T* a, const T* b, T* c) {
    with_vectors<isa, T>(shape.n, [&](auto bytes) { Tiles<T, bytes>::run({shape, a, b, c}); });
  }
};

struct MultiplyOuter {
  template <Isa isa, class T>
  static void run(const GemmShape& shape, const T* a, const T* b, T* c) {
    with_vectors<isa, T>(shape.n, [&](auto bytes) { Tiles<T, bytes>::outer({shape, a, b, c}); });
  }
};

// y[i] = Σ m[i·stride + p] · x[p].
template <Isa isa, class T, std::size_t bytes>
struct RowDots {
  using Vector [[gnu::vector_size(bytes)]] = T;
  static constexpr std::int64_t width = bytes / sizeof(T);
  static constexpr int together = 4;

  static T add_up(const Vector& v) {
    if constexpr (width == 2) {
      return v[0] + v[1];
    } else {
      using Half = RowDots<isa, T, bytes / 2>;
      typename Half::Vector halves[2];
      std::memcpy(halves, &v, bytes);
      return Half::add_up(halves[0] + halves[1]);
    }
  }

  template <int count>
  static void some(std::int64_t k, const T* m, std::int64_t stride, const T* x, T* y) {
    Vector sums[count] = {};
    Lane<T, isa> rest[count];
    std::fill_n(rest, count, 0);
    std::int64_t p = 0;
    for (; p + width <= k; p += width) {
      Vector of_x;
      std::memcpy(&of_x, x + p, bytes);
      for (int r = 0; r < count; ++r) {
        Vector of_row;
        std::memcpy(&of_row, m + r * stride + p, bytes);
        sums[r] += of_row * of_x;
      }
    }
    for (; p < k; ++p)
      for (int r = 0; r < count; ++r)
        rest[r] = mul_add(Lane<T, isa>(m[r * stride + p]), Lane<T, isa>(x[p]), rest[r]);
    for (int r = 0; r < count; ++r) y[r] = add_up(sums[r]) + rest[r];
  }

  static void run(std::int64_t rows, std::int64_t k, const T* m, std::int64_t stride, const T* x, T* y) {
    std::int64_t i = 0;
    for (; i + together <= rows; i += together) some<together>(k, m + i * stride, stride, x, y + i);
    for (; i < rows; ++i) some<1>(k, m + i * stride, stride, x, y + i);
  }
};

struct MultiplyByDots {
  template <Isa isa, class T>
  static void run(const GemmShape& g, const T* a, const T* b, T* c) {
    if (g.n == 1) return dots<isa>(g.m, g.k, a, g.a_row, b, c);
    for (std::int64_t i = 0; i < g.m; ++i) dots<isa>(g.n, g.k, b, g.b_column, a + i * g.a_row, c + i * g.n);
  }

  template <Isa isa, class T>
  static void dots(std::int64_t rows, std::int64_t k, const T* m, std::int64_t stride, const T* x, T* y) {
    with_vectors<isa, T>(k, [&](auto bytes) { RowDots<isa, T, bytes>::run(rows, k, m, stride, x, y); });
  }
};

}  // namespace

template <class T>
GemmKernel<T> register_gemm() {
  return version_for_isa<Multiply, const GemmShape&, const T*, const T*, T*>();
}

template <class T>
GemmKernel<T> outer_gemm() {
  return version_for_isa<MultiplyOuter, const GemmShape&, const T*, const T*, T*>();
}

template <class T>
GemmKernel<T> dot_gemm() {
  return version_for_isa<MultiplyByDots, const GemmShape&, const T*, const T*, T*>();
}

template GemmKernel<float> dot_gemm();
template GemmKernel<double> dot_gemm();
template GemmKernel<float> outer_gemm();
template GemmKernel<double> outer_gemm();
template GemmKernel<float> register_gemm();
template GemmKernel<double> register_gemm();

}  // namespace gradus
