#include "ops/kernels/gemm.hpp"

#include <algorithm>
#include <array>
#include <complex>
#include <utility>

// xtensor-blas's typed layer over BLAS. This header tells the others that there is CBLAS, so it comes first.
#include <xflens/cxxblas/drivers/openblas.h>

#include <xflens/cxxblas/drivers/drivers.tcc>
#include <xflens/cxxblas/level2/gemv.tcc>
#include <xflens/cxxblas/level3/gemm.tcc>

#include "gradus/base/error.hpp"
#include "gradus/graph/shape.hpp"
#include "ops/kernels/register_gemm.hpp"

namespace gradus {

namespace {

// The typed layer calls BLAS for indices of this type; any other would get plain loops.
static_assert(requires { typename cxxblas::If<std::int64_t>::isBlasCompatibleInteger; });

// One thread, unless a caller who has measured asks for more: OpenBLAS would wake threads that spin for a
// matrix-vector product. It counts in int.
void prepare_blas(const GemmShape& g) {
  [[maybe_unused]] static const bool done = (openblas_set_num_threads(1), true);
  if (!std::in_range<int>(std::max({g.m, g.n, g.k})))
    throw Error("the product of " + to_string(Extents{g.m, g.k}) + " and " + to_string(Extents{g.k, g.n}) +
                " has a side of 2^31 or more, which BLAS cannot count; use a smaller batch");
}

// The first `columns` columns of the product.
template <class T> void blas(const GemmShape& g, std::int64_t columns, const T* a, const T* b, T* c) {
  const auto transposed = [](std::int64_t column) { return column == 1 ? cxxblas::NoTrans : cxxblas::Trans; };
  cxxblas::gemm(cxxblas::RowMajor, transposed(g.a_column), transposed(g.b_column), g.m, columns, g.k, T(1), a,
                std::max(g.a_row, g.a_column), b, std::max(g.b_row, g.b_column), T(0), c, g.n);
}

// y = M x for a row-major [rows, columns] M whose rows are ldm apart, or y = Mᵀ x; x and y may be columns of
// other matrices.
template <class T>
void blas_gemv(cxxblas::Transpose t, std::int64_t rows, std::int64_t columns, const T* m, std::int64_t ldm,
               const T* x, T* y, std::int64_t stride_x = 1, std::int64_t stride_y = 1) {
  cxxblas::gemv(cxxblas::RowMajor, t, rows, columns, T(1), m, ldm, x, stride_x, T(0), y, stride_y);
}

// A row times B is Bᵀ times the row: one pass over B, for which BLAS is made. So is a product with a column.
template <class T> void row_by_blas(const GemmShape& g, const T* a, const T* b, T* c) {
  if (g.b_column == 1) return blas_gemv(cxxblas::Trans, g.k, g.n, b, g.b_row, a, c);
  blas_gemv(cxxblas::NoTrans, g.n, g.k, b, g.b_column, a, c);
}
template <class T> void column_by_blas(const GemmShape& g, const T* a, const T* b, T* c) {
  if (g.a_column == 1) return blas_gemv(cxxblas::NoTrans, g.m, g.k, a, g.a_row, b, c);
  blas_gemv(cxxblas::Trans, g.k, g.m, a, g.a_column, b, c);
}

// On AVX-512, OpenBLAS 0.3.21 takes products of up to 100³ multiplications, neither operand transposed, by
// kernels that call malloc unless the columns come out even. A run must not allocate: whole vectors of
// columns go to them, and the columns left over one by one to the matrix-vector product.
constexpr std::int64_t most_by_small_kernel = 100L * 100 * 100;

template <class T> void by_blas_without_malloc(const GemmShape& g, const T* a, const T* b, T* c) {
  constexpr std::int64_t vector = 64 / sizeof(T);
  std::int64_t columns = g.n / vector * vector;
  // More than half a vector of floats is taken without malloc, too.
  if (sizeof(T) == sizeof(float) && g.n - columns > vector / 2) columns = g.n;
  if (columns > 0) blas(g, columns, a, b, c);
  for (std::int64_t j = columns; j < g.n; ++j)
    blas_gemv(cxxblas::NoTrans, g.m, g.k, a, g.a_row, b + j, c + j, g.b_row, g.n);
}

// Σ x[i·stride_x] · y[i·stride_y], one after the other.
template <class T>
[[gnu::always_inline]] inline T short_dot(std::int64_t n, const T* x, std::int64_t stride_x, const T* y,
                                          std::int64_t stride_y) {
  T sum = x[0] * y[0];
  for (std::int64_t i = 1; i < n; ++i) sum += x[i * stride_x] * y[i * stride_y];
  return sum;
}

// The same in partial sums, which do not wait for each other, if it is long.
template <class T>
T dot(std::int64_t n, const T* x, std::int64_t stride_x, const T* y, std::int64_t stride_y) {
  constexpr std::int64_t parts = 8;
  if (n < parts) return short_dot(n, x, stride_x, y, stride_y);
  T sums[parts] = {};
  std::int64_t i = 0;
  for (; i + parts <= n; i += parts)
    for (std::int64_t k = 0; k < parts; ++k) sums[k] += x[(i + k) * stride_x] * y[(i + k) * stride_y];
  for (; i < n; ++i) sums[i % parts] += x[i * stride_x] * y[i * stride_y];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

// Short rows: one sum after the other.
template <class T, class Dot>
[[gnu::always_inline]] inline void sum_by_element(const GemmShape& g, const T* a, const T* b, T* c, Dot dot) {
  for (std::int64_t i = 0; i < g.m; ++i)
    for (std::int64_t j = 0; j < g.n; ++j)
      *c++ = dot(g.k, a + i * g.a_row, g.a_column, b + j * g.b_column, g.b_row);
}
struct SumByElement {
  template <Isa isa, class T> static void run(const GemmShape& g, const T* a, const T* b, T* c) {
    if (g.k < shortest_row) return sum_by_element(g, a, b, c, short_dot<T>);
    sum_by_element(g, a, b, c, dot<T>);
  }
};

// Longer rows: those of b, weighted and added up.
struct SumByRow {
  template <Isa isa, class T> static void run(const GemmShape& g, const T* a, const T* b, T* c) {
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

template <class T, std::int64_t m, std::int64_t n, std::int64_t k>
void tiny(const GemmShape& g, const T* a, const T* b, T* c) {
  if (g.m != m) return kernel_for_isa<T, SumByElement>()(g, a, b, c);  // some of the rows
  sum_by_element({m, n, k, g.a_row, g.a_column, g.b_row, g.b_column}, a, b, c, short_dot<T>);
}

template <class T> GemmKernel<T> tiny_kernel(const GemmShape& g) {
  static constexpr auto kernels = []<std::int64_t... i>(std::integer_sequence<std::int64_t, i...>) {
    return std::array{&tiny<T, i / 16 + 1, i / 4 % 4 + 1, i % 4 + 1>...};
  }
  (std::make_integer_sequence<std::int64_t, 64>());
  return kernels[static_cast<std::size_t>((g.m - 1) * 16 + (g.n - 1) * 4 + g.k - 1)];
}

// Below this many multiplications a call of BLAS costs more than the work.
constexpr std::int64_t small_work = 16L * 16 * 16;

// Packing pays for a b so large that it comes from memory for every tile.
constexpr std::int64_t largest_unpacked = 1 << 18;

template <class T> bool fits_registers(const GemmShape& g) {
  const std::int64_t width = (16 << static_cast<int>(current_isa())) / static_cast<int>(sizeof(T));
  return g.b_column == 1 && g.n >= width && g.k * g.n <= largest_unpacked;
}

template <class T> GemmKernel<T> choose(const GemmShape& g) {
  if (std::max({g.m, g.n, g.k}) <= most_tiny) return tiny_kernel<T>(g);
  const std::int64_t work = g.m * g.n * g.k;
  if (g.k == 1 && g.b_column == 1 && g.n >= shortest_row) return RegisterGemm<T>::outer();
  const bool by_vector = (g.m == 1 || g.n == 1) && work > small_work;
  if (!by_vector && fits_registers<T>(g)) return RegisterGemm<T>::tiles();
  if (work <= small_work) {
    if (g.a_column == 1 && g.b_row == 1 && g.k >= shortest_row) return RegisterGemm<T>::dots();
    // Rows too short to be worth a loop of their own, and rows of b that lie along the sum.
    if (g.n < shortest_row || g.b_column != 1) return kernel_for_isa<T, SumByElement>();
    return kernel_for_isa<T, SumByRow>();
  }
  prepare_blas(g);
  if (g.m == 1) return &row_by_blas<T>;
  if (g.n == 1) return &column_by_blas<T>;
  const bool small = g.a_column == 1 && g.b_column == 1 && work <= most_by_small_kernel;
  if (small) return &by_blas_without_malloc<T>;
  return [](const GemmShape& s, const T* a, const T* b, T* c) { blas(s, s.n, a, b, c); };
}

}  // namespace

template <class T>
Gemm<T>::Gemm(std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_a, bool transpose_b)
    : shape_{m, n, k, k, 1, n, 1} {
  // A matrix of one row or column is stored like its transpose.
  if (transpose_a && m > 1) shape_.a_row = 1, shape_.a_column = m;
  if (transpose_b && n > 1 && k > 1) shape_.b_row = 1, shape_.b_column = k;
  rows_shape_ = shape_;
  rows_kernel_ = kernel_ = choose<T>(shape_);
  rows_are_cheap_ = k == 1 || m * n * k <= small_work || fits_registers<T>(shape_);
  // Rows of a stored A, weighted and added up, rather than one strided sum after the other.
  turned_ = n == 1 && shape_.a_row == 1 && m > 1 && m * k <= small_work;
  if (!turned_) return;
  shape_ = {1, m, k, k, 1, shape_.a_column, 1};
  kernel_ = choose<T>(shape_);
  rows_are_cheap_ = false;
}

template class Gemm<float>;
template class Gemm<double>;

}  // namespace gradus
