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
// As many rows of b, 4 vectors wide, as stay in the first-level cache.
constexpr std::int64_t depth = 128;

template <Isa isa> constexpr std::size_t widest_vector = isa == Isa::avx512 ? 64 : isa == Isa::avx2 ? 32 : 16;

// Calls f with the bytes of the widest vectors that a row of so many elements fills.
template <Isa isa, class T, std::size_t bytes = widest_vector<isa>, class F>
void with_vectors(std::int64_t count, F f) {
  if constexpr (bytes > 16 && bytes > static_cast<std::size_t>(shortest_row) * sizeof(T))
    if (static_cast<std::size_t>(count) * sizeof(T) < bytes) return with_vectors<isa, T, bytes / 2>(count, f);
  f(std::integral_constant<std::size_t, bytes>());
}

template <class T> struct Operands : GemmShape {
  const T* a;
  const T* b;
  T* c;
};

// Columns of c: vectors from j on, of which the last begins at j + last: it may overlap the one before.
struct Strip {
  std::int64_t j, last;
  int columns;

  // The next strip at j, of up to `most` vectors of this width.
  static Strip at(std::int64_t j, std::int64_t n, std::int64_t width, int most) {
    const std::int64_t columns = std::min<std::int64_t>(most, (n - j + width - 1) / width);
    return {j, std::min((columns - 1) * width, n - width - j), static_cast<int>(columns)};
  }
};

template <class T, std::size_t bytes> struct Tiles {
  using Vector [[gnu::vector_size(bytes)]] = T;
  static constexpr std::int64_t width = bytes / sizeof(T);

  // The first column of vector v, counted from j.
  template <int columns> static std::int64_t column(const Strip& s, int v) {
    return v == columns - 1 ? s.last : v * width;
  }

  // The products of some p are added up in c, from p = 0 on.
  template <int rows, int columns>
  static void tile(Operands<T> g, std::int64_t i, const Strip& s, std::int64_t from, std::int64_t to) {
    // Hidden from the compiler, which would else keep multiples of these for all kinds of tiles at all times.
    asm("" : "+r"(g.n), "+r"(g.a_row));
    const T *a = g.a + i * g.a_row, *b = g.b + s.j;
    T* c = g.c + i * g.n + s.j;
    Vector sum[rows][columns];
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < columns; ++v) {
        sum[r][v] = Vector{};
        if (from > 0) std::memcpy(&sum[r][v], c + r * g.n + column<columns>(s, v), bytes);
      }
    for (std::int64_t p = from; p < to; ++p) {
      Vector row[columns];
      for (int v = 0; v < columns; ++v) std::memcpy(&row[v], b + p * g.b_row + column<columns>(s, v), bytes);
      for (int r = 0; r < rows; ++r) {
        const T factor = a[r * g.a_row + p * g.a_column];
        for (int v = 0; v < columns; ++v) sum[r][v] += factor * row[v];
      }
    }
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < columns; ++v) std::memcpy(c + r * g.n + column<columns>(s, v), &sum[r][v], bytes);
  }

  template <int columns, int rows = most_rows>
  static void tile_of(std::int64_t count, const Operands<T>& g, std::int64_t i, const Strip& s,
                      std::int64_t from, std::int64_t to) {
    if constexpr (rows > 1)
      if (count < rows) return tile_of<columns, rows - 1>(count, g, i, s, from, to);
    tile<rows, columns>(g, i, s, from, to);
  }

  // The rows are shared out evenly: a tile of one or two would wait for its own sums.
  template <int columns>
  static void strip(const Operands<T>& g, const Strip& s, std::int64_t from, std::int64_t to) {
    if constexpr (columns > 1)
      if (s.columns < columns) return strip<columns - 1>(g, s, from, to);
    const std::int64_t tiles = (g.m + most_rows - 1) / most_rows, rows = g.m / tiles;
    const std::int64_t larger = g.m % tiles * (rows + 1);  // so many rows are in tiles of one more
    for (std::int64_t i = 0, count; i < g.m; i += count) {
      count = i < larger ? rows + 1 : rows;
      tile_of<columns>(count, g, i, s, from, to);
    }
  }

  static void run(const Operands<T>& g) {
    constexpr int most = bytes == 64 ? 4 : 2;
    for (std::int64_t j = 0; j < g.n; j += most * width) {
      const Strip s = Strip::at(j, g.n, width, most);
      // Less than a vector goes together with some of the strip before, and in one go, as what is
      // there already must not be added to.
      const std::int64_t step = g.n - j < width ? g.k : depth;
      for (std::int64_t from = 0; from < g.k; from += step)
        strip<most>(g, s, from, std::min(g.k, from + step));
    }
  }

  // The product of a column and a row: some columns of the row stay in registers, and nothing is to be added
  // up.
  template <int columns> static void outer_strip(const Operands<T>& g, const Strip& s) {
    if constexpr (columns > 1)
      if (s.columns < columns) return outer_strip<columns - 1>(g, s);
    Vector row[columns];
    for (int v = 0; v < columns; ++v) std::memcpy(&row[v], g.b + s.j + column<columns>(s, v), bytes);
    for (std::int64_t i = 0; i < g.m; ++i)
      for (int v = 0; v < columns; ++v) {
        const Vector product = g.a[i * g.a_row] * row[v];
        std::memcpy(g.c + i * g.n + s.j + column<columns>(s, v), &product, bytes);
      }
  }

  static void outer(const Operands<T>& g) {
    constexpr int most = 8;
    for (std::int64_t j = 0; j < g.n; j += most * width) outer_strip<most>(g, Strip::at(j, g.n, width, most));
  }
};

struct Multiply {
  template <Isa isa, class T> static void run(const GemmShape& shape, const T* a, const T* b, T* c) {
    Tiles<T, widest_vector<isa>>::run({shape, a, b, c});
  }
};

struct MultiplyOuter {
  template <Isa isa, class T> static void run(const GemmShape& shape, const T* a, const T* b, T* c) {
    with_vectors<isa, T>(shape.n, [&](auto bytes) { Tiles<T, bytes>::outer({shape, a, b, c}); });
  }
};

// y[i] = Σ m[i·stride + p] · x[p].
template <Isa isa, class T, std::size_t bytes> struct RowDots {
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

  template <int count> static void some(std::int64_t k, const T* m, std::int64_t stride, const T* x, T* y) {
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

// Each row of a with all columns of b; or the only column with all rows.
struct MultiplyByDots {
  template <Isa isa, class T> static void run(const GemmShape& g, const T* a, const T* b, T* c) {
    const bool turned = g.n == 1;
    const std::int64_t rows = turned ? g.m : g.n, stride = turned ? g.a_row : g.b_column;
    with_vectors<isa, T>(g.k, [&](auto bytes) {
      for (std::int64_t i = 0; i < (turned ? 1 : g.m); ++i)
        RowDots<isa, T, bytes>::run(rows, g.k, turned ? a : b, stride, turned ? b : a + i * g.a_row,
                                    c + i * rows);
    });
  }
};

}  // namespace

template <class T> GemmKernel<T> RegisterGemm<T>::tiles() { return kernel_for_isa<T, Multiply>(); }
template <class T> GemmKernel<T> RegisterGemm<T>::outer() { return kernel_for_isa<T, MultiplyOuter>(); }
template <class T> GemmKernel<T> RegisterGemm<T>::dots() { return kernel_for_isa<T, MultiplyByDots>(); }

template struct RegisterGemm<float>;
template struct RegisterGemm<double>;

}  // namespace gradus
