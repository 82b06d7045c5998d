#include "ops/kernels/gemm.hpp"

#include <cblas.h>

#include <algorithm>
#include <array>
#include <utility>

#include "gradus/simd/isa.hpp"
#include "ops/kernels/register_gemm.hpp"

namespace gradus {

namespace {

// One thread, unless a caller who has measured asks for more: OpenBLAS would wake threads that spin for a
// matrix-vector product.
void one_thread() {
  static const bool done = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  (void)done;
}

CBLAS_TRANSPOSE transposed(std::int64_t column) { return column == 1 ? CblasNoTrans : CblasTrans; }

// The first `columns` columns of the product.
void blas(const GemmShape& g, std::int64_t columns, const float* a, const float* b, float* c) {
  cblas_sgemm(CblasRowMajor, transposed(g.a_column), transposed(g.b_column), static_cast<int>(g.m),
              static_cast<int>(columns), static_cast<int>(g.k), 1, a,
              static_cast<int>(std::max(g.a_row, g.a_column)), b,
              static_cast<int>(std::max(g.b_row, g.b_column)), 0, c, static_cast<int>(g.n));
}
void blas(const GemmShape& g, std::int64_t columns, const double* a, const double* b, double* c) {
  cblas_dgemm(CblasRowMajor, transposed(g.a_column), transposed(g.b_column), static_cast<int>(g.m),
              static_cast<int>(columns), static_cast<int>(g.k), 1, a,
              static_cast<int>(std::max(g.a_row, g.a_column)), b,
              static_cast<int>(std::max(g.b_row, g.b_column)), 0, c, static_cast<int>(g.n));
}

// y = M x for a row-major [rows, columns] M whose rows are ldm apart, or y = Mᵀ x; x and y may be columns of
// other matrices.
void blas_gemv(CBLAS_TRANSPOSE t, std::int64_t rows, std::int64_t columns, const float* m, std::int64_t ldm,
               const float* x, float* y, std::int64_t stride_x = 1, std::int64_t stride_y = 1) {
  cblas_sgemv(CblasRowMajor, t, static_cast<int>(rows), static_cast<int>(columns), 1, m,
              static_cast<int>(ldm), x, static_cast<int>(stride_x), 0, y, static_cast<int>(stride_y));
}
void blas_gemv(CBLAS_TRANSPOSE t, std::int64_t rows, std::int64_t columns, const double* m, std::int64_t ldm,
               const double* x, double* y, std::int64_t stride_x = 1, std::int64_t stride_y = 1) {
  cblas_dgemv(CblasRowMajor, t, static_cast<int>(rows), static_cast<int>(columns), 1, m,
              static_cast<int>(ldm), x, static_cast<int>(stride_x), 0, y, static_cast<int>(stride_y));
}

// A row times B is Bᵀ times the row: one pass over B, for which BLAS is made. So is a product with a column.
template <class T>
void row_by_blas(const GemmShape& g, const T* a, const T* b, T* c) {
  if (g.b_column == 1)
    blas_gemv(CblasTrans, g.k, g.n, b, g.b_row, a, c);
  else
    blas_gemv(CblasNoTrans, g.n, g.k, b, g.b_column, a, c);
}
template <class T>
void column_by_blas(const GemmShape& g, const T* a, const T* b, T* c) {
  if (g.a_column == 1)
    blas_gemv(CblasNoTrans, g.m, g.k, a, g.a_row, b, c);
  else
    blas_gemv(CblasTrans, g.k, g.m, a, g.a_column, b, c);
}

template <class T>
void by_blas(const GemmShape& g, const T* a, const T* b, T* c) {
  blas(g, g.n, a, b, c);
}

// On AVX-512, OpenBLAS 0.3.21 takes products of up to 100³ multiplications, neither operand transposed, by
// kernels that call malloc unless the columns come out even. A run must not allocate: whole vectors of
// columns go to them, and the columns left over one by one to the matrix-vector product.
constexpr std::int64_t most_by_small_kernel = 100L * 100 * 100;

template <class T>
void by_blas_without_malloc(const GemmShape& g, const T* a, const T* b, T* c) {
  constexpr std::int64_t vector = 64 / sizeof(T);
  std::int64_t columns = g.n / vector * vector;
  // More than half a vector of floats is taken without malloc, too.
  if (sizeof(T) == sizeof(float) && g.n - columns > vector / 2) columns = g.n;
  if (columns > 0) blas(g, columns, a, b, c);
  for (std::int64_t j = columns; j < g.n; ++j)
    blas_gemv(CblasNoTrans, g.m, g.k, a, g.a_row, b + j, c + j, g.b_row, g.n);
}

// Σ x[i·stride_x] · y[i·stride_y], in partial sums, which do not wait for each other.
template <class T>
T dot(std::int64_t n, const T* x, std::int64_t stride_x, const T* y, std::int64_t stride_y) {
  constexpr std::int64_t parts = 8;
  if (n < parts) {
    T sum = x[0] * y[0];
    for (std::int64_t i = 1; i < n; ++i) sum += x[i * stride_x] * y[i * stride_y];
    return sum;
  }
  T sums[parts] = {};
  std::int64_t i = 0;
  for (; i + parts <= n; i += parts)
    for (std::int64_t k = 0; k < parts; ++k) sums[k] += x[(i + k) * stride_x] * y[(i + k) * stride_y];
  for (; i < n; ++i) sums[i % parts] += x[i * stride_x] * y[i * stride_y];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

constexpr std::int64_t short_row = 4;
constexpr std::int64_t short_sum = 4;

// Of short rows: one sum after the other.
struct SumByElement {
  template <class T>
  static void add_up(const GemmShape& g, const T* a, const T* b, T* c) {
    for (std::int64_t i = 0; i < g.m; ++i, a += g.a_row)
      for (std::int64_t j = 0; j < g.n; ++j) {
        T sum = a[0] * b[j * g.b_column];
        for (std::int64_t p = 1; p < g.k; ++p) sum += a[p * g.a_column] * b[j * g.b_column + p * g.b_row];
        *c++ = sum;
      }
  }

  template <Isa isa, class T>
  static void run(const GemmShape& g, const T* a, const T* b, T* c) {
    if (g.k < short_sum) return add_up(g, a, b, c);
    for (std::int64_t i = 0; i < g.m; ++i)
      for (std::int64_t j = 0; j < g.n; ++j)
        *c++ = dot(g.k, a + i * g.a_row, g.a_column, b + j * g.b_column, g.b_row);
  }
};

// Of longer ones: rows of b, weighted and added up.
struct SumByRow {
  template <Isa isa, class T>
  static void run(const GemmShape& g, const T* a, const T* b, T* c) {
    for (std::int64_t i = 0; i < g.m; ++i, c += g.n) {
      std::fill_n(c, g.n, T(0));
      for (std::int64_t p = 0; p < g.k; ++p) {
        const T factor = a[i * g.a_row + p * g.a_column];
        const T* from = b + p * g.b_row;
        for (std::int64_t j = 0; j < g.n; ++j) c[j] += factor * from[j];
      }
    }
  }
};

// Up to 4 by 4 by 4, without a loop that is left at run time.
constexpr std::int64_t most_tiny = 4;

template <class T, std::size_t m, std::size_t n, std::size_t k>
void tiny(const GemmShape& g, const T* a, const T* b, T* c) {
  if (g.m != m) return SumByElement::add_up(g, a, b, c);  // some of the rows
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const T* row = a + static_cast<std::int64_t>(i) * g.a_row;
      const T* column = b + static_cast<std::int64_t>(j) * g.b_column;
      T sum = row[0] * column[0];
      for (std::int64_t p = 1; p < static_cast<std::int64_t>(k); ++p)
        sum += row[p * g.a_column] * column[p * g.b_row];
      c[i * n + j] = sum;
    }
}

template <class T>
GemmKernel<T> tiny_kernel(const GemmShape& g) {
  constexpr std::size_t side = most_tiny;
  static constexpr auto kernels = []<std::size_t... index>(std::index_sequence<index...>) {
    return std::array<GemmKernel<T>, sizeof...(index)>{
        &tiny<T, index / side / side + 1, index / side % side + 1, index % side + 1>...};
  }
  (std::make_index_sequence<side * side * side>());
  return kernels[static_cast<std::size_t>(((g.m - 1) * most_tiny + g.n - 1) * most_tiny + g.k - 1)];
}

// Below this many multiplications a call of BLAS costs more than the work.
constexpr std::int64_t small_work = 16L * 16 * 16;

// Where b is so large that it comes from memory for every tile, packing pays.
constexpr std::int64_t largest_unpacked = 1 << 18;

template <class T>
bool fits_registers(const GemmShape& g) {
  constexpr std::int64_t bytes[] = {16, 32, 64};
  const std::int64_t width =
      bytes[static_cast<std::size_t>(current_isa())] / static_cast<std::int64_t>(sizeof(T));
  return g.b_column == 1 && g.n >= width && g.k * g.n <= largest_unpacked;
}

template <class T>
GemmKernel<T> choose(const GemmShape& g) {
  if (std::max({g.m, g.n, g.k}) <= most_tiny) return tiny_kernel<T>(g);
  const std::int64_t work = g.m * g.n * g.k;
  if (g.k == 1 && g.b_column == 1 && g.n >= short_row) return outer_gemm<T>();
  const bool by_vector = (g.m == 1 || g.n == 1) && work > small_work;
  if (!by_vector && fits_registers<T>(g)) return register_gemm<T>();
  if (work <= small_work && g.a_column == 1 && g.b_row == 1 && g.k >= short_sum) return dot_gemm<T>();
  if (work <= small_work) {
    // Rows too short to be worth a loop of their own, and rows of b that lie along the sum.
    if (g.n < short_row || g.b_column != 1)
      return version_for_isa<SumByElement, const GemmShape&, const T*, const T*, T*>();
    return version_for_isa<SumByRow, const GemmShape&, const T*, const T*, T*>();
  }
  one_thread();
  if (g.m == 1) return &row_by_blas<T>;
  if (g.n == 1) return &column_by_blas<T>;
  const bool small = g.a_column == 1 && g.b_column == 1 && work <= most_by_small_kernel;
  return small ? &by_blas_without_malloc<T> : &by_blas<T>;
}

}  // namespace

template <class T>
Gemm<T>::Gemm(std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_a, bool transpose_b)
    : shape_{m, n, k, k, 1, n, 1}, rows_shape_(shape_) {
  // A matrix of one row or column is stored like its transpose.
  if (transpose_a && m > 1) {
    shape_.a_row = 1;
    shape_.a_column = m;
  }
  if (transpose_b && n > 1 && k > 1) {
    shape_.b_row = 1;
    shape_.b_column = k;
  }
  // Rows of a stored A, weighted and added up, rather than one strided sum after the other.
  turned_ = n == 1 && shape_.a_row == 1 && m > 1 && m * k <= small_work;
  rows_shape_ = shape_;
  if (turned_) shape_ = {1, m, k, k, 1, shape_.a_column, 1};
  kernel_ = choose<T>(shape_);
  rows_kernel_ = turned_ ? choose<T>(rows_shape_) : kernel_;
  rows_are_cheap_ = !turned_ && (k == 1 || m * n * k <= small_work || fits_registers<T>(shape_));
}

template class Gemm<float>;
template class Gemm<double>;

}  // namespace gradus
