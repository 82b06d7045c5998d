#include "ops/kernels/register_gemm.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "ops/kernels/tree.hpp"
#include "ops/kernels/vectors.hpp"

#if defined(__clang__)
// As with_vectors.
#pragma clang attribute push(__attribute__((always_inline)), apply_to = function)
#endif

namespace gradus {

namespace {

// So many products are added up one after the other, and the sums of such leaves pairwise. As many rows of b,
// 2 vectors wide, stay in the first-level cache.
constexpr std::int64_t leaf_depth = 256;
// A section of c, with what it takes of a and b, stays in the second-level cache. A strip has up to 512
// bytes.
constexpr std::int64_t section_rows = 192, section_columns = 512, widest_strip = 512;

// Where it pays to copy columns of b together, so that they are read one after the other: for many rows of b
// that lie a page apart, and so would all fall into the same few sets of the first-level cache (strips half
// as wide, a quarter of one).
constexpr std::int64_t least_rows_to_pack = 24, page = 4096;
// From so many columns and such a depth on it pays to copy rows of a transposed a together.
constexpr std::int64_t least_columns_to_pack = 64, least_depth_to_pack = 128;

// Columns of c: vectors from j on, of which the last begins at j + last: it may overlap the one before.
struct Strip {
  std::int64_t j, last;
  int columns;
};

// A section of a product.
template <class T> struct Section {
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t a_row = 0, a_column = 0;
  std::int64_t b_row = 0, b_column = 0;
  std::int64_t c_row = 0;
  T* c = nullptr;
  T* packed_a = nullptr;
  T* packed_b = nullptr;
  T* sums = nullptr;  // of leaves, which wait to be added up

  std::int64_t size_of_a() const { return packs_a() ? m * leaf_depth : 0; }
  std::int64_t size_of_b() const {
    return packs_b() ? widest_strip / static_cast<std::int64_t>(sizeof(T)) * leaf_depth : 0;
  }
  bool packs_a() const {
    return a_row == 1 && a_column > 1 && k >= least_depth_to_pack && n >= least_columns_to_pack && m > 1;
  }
  bool packs_b() const {
    const std::int64_t apart =
        b_row * static_cast<std::int64_t>(sizeof(T)) * (current_isa() == Isa::avx512 ? 1 : 4);
    return b_column != 1 || (m >= least_rows_to_pack && apart >= page);
  }
};

// The largest section of a product and of any part of its rows, without its memory.
template <class T> Section<T> largest_section(const GemmShape& g) {
  return {.m = std::min(g.m, section_rows),
          .n = std::min(g.n, section_columns),
          .k = g.k,
          .a_row = g.a_row,
          .a_column = g.a_column,
          .b_row = g.b_row,
          .b_column = g.b_column,
          .c_row = g.n};
}

// How many parts of about a size cover all.
std::int64_t parts_of(std::int64_t all, std::int64_t size) { return (all + size - 1) / size; }

// Calls f with each section, and with its operands.
template <class T, class F>
void for_each_section(const GemmShape& g, const T* a, const T* b, T* c, T* workspace, F f) {
  Section<T> section = largest_section<T>(g);
  section.packed_a = workspace;
  section.packed_b = section.packed_a + section.size_of_a();
  section.sums = section.packed_b + section.size_of_b();
  const std::int64_t down = parts_of(g.m, section_rows), across = parts_of(g.n, section_columns);
  for (std::int64_t y = 0; y < down; ++y)
    for (std::int64_t x = 0; x < across; ++x) {
      const std::int64_t i = y * g.m / down, j = x * g.n / across;
      section.m = (y + 1) * g.m / down - i;
      section.n = (x + 1) * g.n / across - j;
      section.c = c + i * g.n + j;
      f(section, a + i * g.a_row, b + j * g.b_column);
    }
}

// Where the sums of a leaf go, in the order of walk_tree: as the digits of a binary counter, the sums of so
// many leaves wait, of which some are added first.
struct Carry {
  int waiting, taken;

  static Carry of(std::int64_t leaf, bool last) {
    const auto bits = static_cast<std::uint64_t>(leaf);
    const int waiting = std::popcount(bits);
    return {waiting, last ? waiting : std::countr_one(bits)};
  }
};

// Tiles of c: with a row of b and a number of a they fill the registers, of which there are 32 of 64 bytes,
// or 16.
template <class T, std::size_t bytes, bool flat = false> struct Tiles : Vectors<T, bytes> {
  using Base = Vectors<T, bytes>;
  using Base::width, Base::load, Base::store;
  using typename Base::Vector;
  // A single row has the sums of many columns under way at a time.
  static constexpr int most_rows = flat ? 1 : 6;
  static constexpr int most_columns = bytes == sizeof(T) ? 1 : flat ? 8 : bytes == 64 ? 4 : 2;

  // Calls f with strips of all columns. The larger ones come last: so a vector overlaps none of another
  // strip.
  template <int most = most_columns, class F> static void for_each_strip(std::int64_t n, F f) {
    const std::int64_t vectors = (n + width - 1) / width, strips = (vectors + most - 1) / most;
    const std::int64_t smaller = strips - vectors % strips;  // so many have a vector less than the others
    for (std::int64_t i = 0, j = 0; i < strips; ++i) {
      const std::int64_t columns = vectors / strips + (i < smaller ? 0 : 1);
      f(Strip{j, std::min((columns - 1) * width, n - width - j), static_cast<int>(columns)});
      j += columns * width;
    }
  }

  // Rows of b, `row` apart, in the columns of a strip.
  struct Columns {
    const T* b;
    std::int64_t row, last;
  };

  // Where vector v begins, of which the last one is `last` behind the first.
  template <int columns> static std::int64_t column(std::int64_t last, int v) {
    return v == columns - 1 ? last : v * width;
  }

  // Rows of a from its row i on, as a tile reads them.
  struct Rows {
    std::int64_t i;
    const T* a;
    std::int64_t row, column;
  };

  template <int rows, int columns>
  static void tile(const Section<T>& g, std::int64_t depth, const Rows& of_a, const Columns& of_b,
                   const Strip& s, Carry carry) {
    Vector sum[rows][columns];
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < columns; ++v) sum[r][v] = Vector{};
    const T* a = of_a.a;
    std::int64_t a_row = of_a.row;
    const std::int64_t a_column = of_a.column;
    // Hidden from the compiler, which would else keep multiples of it for all kinds of tiles at all times.
    asm("" : "+r"(a_row));
    for (std::int64_t p = 0; p < depth; ++p, a += a_column) {
      Vector row[columns];
      for (int v = 0; v < columns; ++v) load(of_b.b + p * of_b.row + column<columns>(of_b.last, v), row[v]);
      for (int r = 0; r < rows; ++r) {
        const T factor = a[r * a_row];
        for (int v = 0; v < columns; ++v) sum[r][v] += factor * row[v];
      }
    }
    const auto at = [&](int slot, int r, int v) {
      const std::int64_t j = s.j + column<columns>(s.last, v);
      return slot == 0 ? g.c + (of_a.i + r) * g.c_row + j
                       : g.sums + ((slot - 1) * g.m + of_a.i + r) * g.n + j;
    };
    for (int t = 1; t <= carry.taken; ++t)
      for (int r = 0; r < rows; ++r)
        for (int v = 0; v < columns; ++v) {
          Vector other;
          load(at(carry.waiting - t, r, v), other);
          sum[r][v] += other;
        }
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < columns; ++v) store(sum[r][v], at(carry.waiting - carry.taken, r, v));
  }

  template <int columns, int rows = most_rows, class... A>
  static void tile_of(std::int64_t count, const Section<T>& g, const A&... arguments) {
    if constexpr (rows > 1)
      if (count < rows) return tile_of<columns, rows - 1>(count, g, arguments...);
    tile<rows, columns>(g, arguments...);
  }

  // Calls f with the first row and the number of rows of each tile. The rows are shared out evenly: a tile of
  // one or two would wait for its own sums.
  template <class F> static void for_each_tile(std::int64_t m, F f) {
    const std::int64_t tiles = (m + most_rows - 1) / most_rows, rows = m / tiles;
    const std::int64_t larger = m % tiles * (rows + 1);  // so many rows are in tiles of one more
    for (std::int64_t i = 0, count; i < m; i += count) {
      count = i < larger ? rows + 1 : rows;
      f(i, count);
    }
  }

  template <int columns>
  static void strip(const Section<T>& g, std::int64_t depth, const T* a, const Columns& of_b, const Strip& s,
                    Carry carry, bool is_packed) {
    if constexpr (columns > 1)
      if (s.columns < columns) return strip<columns - 1>(g, depth, a, of_b, s, carry, is_packed);
    for_each_tile(g.m, [&](std::int64_t i, std::int64_t count) {
      const Rows of_a = is_packed ? Rows{i, g.packed_a + i * depth, 1, count}
                                  : Rows{i, a + i * g.a_row, g.a_row, g.a_column};
      tile_of<columns>(count, g, depth, of_a, of_b, s, carry);
    });
  }

  template <int rows = most_rows>
  static void copy_rows(std::int64_t count, std::int64_t depth, const T* a, std::int64_t a_column, T* to) {
    if constexpr (rows > 1)
      if (count < rows) return copy_rows<rows - 1>(count, depth, a, a_column, to);
    for (std::int64_t p = 0; p < depth; ++p) std::memcpy(to + p * rows, a + p * a_column, rows * sizeof(T));
  }

  // Copies a transposed a, so that what a tile reads of it follows each other in memory.
  static void pack_a(const Section<T>& g, std::int64_t depth, const T* a) {
    constexpr std::int64_t pages = 32;  // read from in turns
    for (std::int64_t p = 0; p < depth; p += pages)
      for_each_tile(g.m, [&](std::int64_t i, std::int64_t count) {
        copy_rows(count, std::min(pages, depth - p), a + p * g.a_column + i, g.a_column,
                  g.packed_a + i * depth + p * count);
      });
  }

  // Copies columns of b, so that they follow each other in memory in the order in which they are read.
  static Columns pack(const Section<T>& g, std::int64_t depth, const T* b, const Strip& s) {
    const std::int64_t row = s.columns * width, b_row = g.b_row, b_column = g.b_column;
    for (int v = 0; v < s.columns; ++v) {
      const T* from = b + (s.j + (v == s.columns - 1 ? s.last : v * width)) * g.b_column;
      T* to = g.packed_b + v * width;
      if (g.b_column == 1)
        for (std::int64_t p = 0; p < depth; ++p) {
          Vector v_of_b;
          load(from + p * b_row, v_of_b);
          store(v_of_b, to + p * row);
        }
      else
        for (std::int64_t p = 0; p < depth; ++p)
          for (std::int64_t i = 0; i < width; ++i) to[p * row + i] = from[p * b_row + i * b_column];
    }
    return {g.packed_b, row, row - width};
  }

  static void run(const Section<T>& g, const T* a, const T* b) {
    const bool packs_a = g.packs_a(), packs_b = g.packs_b();
    for (std::int64_t from = 0; from < g.k; from += leaf_depth) {
      const std::int64_t depth = std::min(leaf_depth, g.k - from);
      const Carry carry = Carry::of(from / leaf_depth, from + depth == g.k);
      const T* const of_a = a + from * g.a_column;
      if (packs_a) pack_a(g, depth, of_a);
      const T* const rows = b + from * g.b_row;
      for_each_strip(g.n, [&](const Strip& s) {
        const Columns of_b = packs_b ? pack(g, depth, rows, s) : Columns{rows + s.j, g.b_row, s.last};
        strip<most_columns>(g, depth, of_a, of_b, s, carry, packs_a);
      });
    }
  }

  // The product of a column and a row: some columns of the row stay in registers, and nothing is to be added
  // up.
  template <int columns>
  static void outer_strip(const GemmShape& g, const T* a, const T* b, T* c, const Strip& s) {
    if constexpr (columns > 1)
      if (s.columns < columns) return outer_strip<columns - 1>(g, a, b, c, s);
    // Read before anything is written, which might change them for all the compiler knows.
    const std::int64_t rows = g.m, a_row = g.a_row, c_row = g.n;
    Vector row[columns];
    for (int v = 0; v < columns; ++v) load(b + s.j + column<columns>(s.last, v), row[v]);
    for (std::int64_t i = 0; i < rows; ++i)
      for (int v = 0; v < columns; ++v)
        store(a[i * a_row] * row[v], c + i * c_row + s.j + column<columns>(s.last, v));
  }

  static void outer(const GemmShape& g, const T* a, const T* b, T* c) {
    constexpr int most = 8;
    for_each_strip<most>(g.n, [&](const Strip& s) { outer_strip<most>(g, a, b, c, s); });
  }
};

struct Multiply {
  template <Isa isa, class T>
  static void run(const GemmShape& g, const T* a, const T* b, T* c, T* workspace) {
    with_vectors<isa, T>(g.n / parts_of(g.n, section_columns), [&](auto bytes) {
      for_each_section(g, a, b, c, workspace, [&](const Section<T>& s, const T* of_a, const T* of_b) {
        s.m == 1 ? Tiles<T, bytes, true>::run(s, of_a, of_b) : Tiles<T, bytes>::run(s, of_a, of_b);
      });
    });
  }
};

struct MultiplyOuter {
  template <Isa isa, class T> static void run(const GemmShape& g, const T* a, const T* b, T* c, T*) {
    with_vectors<isa, T>(g.n, [&](auto bytes) { Tiles<T, bytes>::outer(g, a, b, c); });
  }
};

}  // namespace

#if defined(__clang__)
#pragma clang attribute pop
#endif

template <class T> GemmKernel<T> RegisterGemm<T>::tiles() { return kernel_for_isa<T, Multiply>(); }
template <class T> GemmKernel<T> RegisterGemm<T>::outer() { return kernel_for_isa<T, MultiplyOuter>(); }
template <class T> std::int64_t RegisterGemm<T>::workspace(const GemmShape& shape) {
  const Section<T> largest = largest_section<T>(shape);
  return largest.size_of_a() + largest.size_of_b() +
         (slots_of_tree(shape.k, leaf_depth) - 1) * largest.m * largest.n;
}

template struct RegisterGemm<float>;
template struct RegisterGemm<double>;

}  // namespace gradus
