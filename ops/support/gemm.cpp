#include "gradus/ops/support/gemm.hpp"

#include <cblas.h>

#include <algorithm>

#include "gradus/framework/simd/isa.hpp"
#include "gradus/ops/support/register_gemm.hpp"

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

// A product whose A may be some rows of a larger op(A).
struct Part : Gemm {
  std::int64_t lda;
  std::int64_t all_rows;  // decide how it is computed, so that a row has the same bits in any part
};

// The first `columns` columns of the product.
void blas_gemm(const Part& g, std::int64_t columns, const float* a, const float* b, float* c) {
  cblas_sgemm(CblasRowMajor, g.transpose_a ? CblasTrans : CblasNoTrans,
              g.transpose_b ? CblasTrans : CblasNoTrans, static_cast<int>(g.m), static_cast<int>(columns),
              static_cast<int>(g.k), 1, a, static_cast<int>(g.lda), b,
              static_cast<int>(g.transpose_b ? g.k : g.n), 0, c, static_cast<int>(g.n));
}
void blas_gemm(const Part& g, std::int64_t columns, const double* a, const double* b, double* c) {
  cblas_dgemm(CblasRowMajor, g.transpose_a ? CblasTrans : CblasNoTrans,
              g.transpose_b ? CblasTrans : CblasNoTrans, static_cast<int>(g.m), static_cast<int>(columns),
              static_cast<int>(g.k), 1, a, static_cast<int>(g.lda), b,
              static_cast<int>(g.transpose_b ? g.k : g.n), 0, c, static_cast<int>(g.n));
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

// On AVX-512, OpenBLAS 0.3.21 takes products of up to 100³ multiplications, neither operand transposed, by
// kernels that call malloc unless the columns come out even. A run must not allocate: whole vectors of
// columns go to them, and the columns left over one by one to the matrix-vector product.
constexpr std::int64_t most_by_small_kernel = 100 * 100 * 100;

template <class T>
void gemm_without_malloc(const Part& g, const T* a, const T* b, T* c) {
  constexpr std::int64_t vector = 64 / sizeof(T);
  std::int64_t columns = g.n / vector * vector;
  // More than half a vector of floats is taken without malloc, too.
  if (sizeof(T) == sizeof(float) && g.n - columns > vector / 2) columns = g.n;
  if (columns > 0) blas_gemm(g, columns, a, b, c);
  for (std::int64_t j = columns; j < g.n; ++j)
    blas_gemv(CblasNoTrans, g.m, g.k, a, g.lda, b + j, c + j, g.n, g.n);
}

// Below this many multiplications the call costs more than the work.
constexpr std::int64_t small_work = 16 * 16 * 16;

// Σ x[i·stride_x] · y[i·stride_y], in four partial sums.
template <class T>
T dot(std::int64_t n, const T* x, std::int64_t stride_x, const T* y, std::int64_t stride_y) {
  T parts[4] = {};
  std::int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (std::int64_t k = 0; k < 4; ++k) parts[k] += x[(i + k) * stride_x] * y[(i + k) * stride_y];
  for (; i < n; ++i) parts[i % 4] += x[i * stride_x] * y[i * stride_y];
  return (parts[0] + parts[2]) + (parts[1] + parts[3]);
}

template <class T>
void small_gemm(const Part& g, const T* a, const T* b, T* c) {
  const std::int64_t a_row = g.transpose_a ? 1 : g.lda;
  const std::int64_t a_column = g.transpose_a ? g.lda : 1;
  const std::int64_t b_row = g.transpose_b ? 1 : g.n;
  const std::int64_t b_column = g.transpose_b ? g.k : 1;
  // Rows too short to be worth a loop of their own, and rows of b that lie along the sum.
  constexpr std::int64_t short_row = 4;
  const bool by_dots = g.n < short_row || g.transpose_b;
  for (std::int64_t i = 0; i < g.m; ++i) {
    T* row = c + i * g.n;
    if (by_dots) {
      for (std::int64_t j = 0; j < g.n; ++j)
        row[j] = dot(g.k, a + i * a_row, a_column, b + j * b_column, b_row);
      continue;
    }
    std::fill_n(row, g.n, T(0));
    for (std::int64_t k = 0; k < g.k; ++k) {
      const T factor = a[i * a_row + k * a_column];
      const T* from = b + k * g.n;
      for (std::int64_t j = 0; j < g.n; ++j) row[j] += factor * from[j];
    }
  }
}

// a may be a column of a matrix.
template <class T>
void outer_product(const Part& g, const T* a, const T* b, T* c) {
  const std::int64_t a_row = g.transpose_a ? 1 : g.lda;
  for (std::int64_t i = 0; i < g.m; ++i) {
    const T factor = a[i * a_row];
    T* row = c + i * g.n;
    for (std::int64_t j = 0; j < g.n; ++j) row[j] = factor * b[j];
  }
}

// Where b is so large that it comes from memory for every tile, packing pays.
constexpr std::int64_t largest_unpacked = 1 << 18;

template <class T>
bool fits_registers(const Gemm& g) {
  constexpr std::int64_t bytes[] = {16, 32, 64};
  static const std::int64_t width = bytes[static_cast<std::size_t>(current_isa())] / sizeof(T);
  return !g.transpose_b && g.n >= width && g.k * g.n <= largest_unpacked;
}

template <class T>
void gemm(const Part& g, const T* a, const T* b, T* c) {
  // A row times B is Bᵀ times the row: one pass over B, for which BLAS is made.
  const std::int64_t work = g.all_rows * g.n * g.k;
  const bool by_vector = (g.all_rows == 1 || g.n == 1) && work > small_work;
  if (!by_vector && fits_registers<T>(g)) {
    const std::int64_t a_row = g.transpose_a ? 1 : g.lda;
    const std::int64_t a_column = g.transpose_a ? g.lda : 1;
    return RegisterGemm<T>{g.m, g.n, g.k, a, a_row, a_column, b, g.n, c}();
  }
  if (g.k == 1) return outer_product(g, a, b, c);
  if (work <= small_work) return small_gemm(g, a, b, c);
  one_thread();
  if (g.all_rows == 1) {
    return g.transpose_b ? blas_gemv(CblasNoTrans, g.n, g.k, b, g.k, a, c)
                         : blas_gemv(CblasTrans, g.k, g.n, b, g.n, a, c);
  }
  if (g.n == 1) {
    return g.transpose_a ? blas_gemv(CblasTrans, g.k, g.m, a, g.lda, b, c)
                         : blas_gemv(CblasNoTrans, g.m, g.k, a, g.lda, b, c);
  }
  if (!g.transpose_a && !g.transpose_b && g.m * g.n * g.k <= most_by_small_kernel)
    return gemm_without_malloc(g, a, b, c);
  blas_gemm(g, g.n, a, b, c);
}

template <class T>
void some_rows(const Gemm& g, const T* a, const T* b, T* c, std::int64_t from, std::int64_t to) {
  const std::int64_t lda = g.transpose_a ? g.m : g.k;
  gemm(Part{{to - from, g.n, g.k, g.transpose_a, g.transpose_b}, lda, g.m},
       a + from * (g.transpose_a ? 1 : lda), b, c);
}

}  // namespace

void Gemm::rows(const float* a, const float* b, float* c, std::int64_t from, std::int64_t to) const {
  some_rows(*this, a, b, c, from, to);
}
void Gemm::rows(const double* a, const double* b, double* c, std::int64_t from, std::int64_t to) const {
  some_rows(*this, a, b, c, from, to);
}

bool Gemm::takes_rows() const { return k == 1 || fits_registers<float>(*this); }

}  // namespace gradus
