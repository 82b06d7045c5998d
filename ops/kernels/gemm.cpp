#include "ops/kernels/gemm.hpp"

#include <algorithm>
#include <array>
#include <complex>
#include <string_view>
#include <utility>

// xtensor-blas's typed layer over BLAS. This header tells the others that there is CBLAS, so it comes first.
#include <xflens/cxxblas/drivers/openblas.h>

#include <xflens/cxxblas/drivers/drivers.tcc>
#include <xflens/cxxblas/level2/gemv.tcc>
#include <xflens/cxxblas/level3/gemm.tcc>

#include "gradus/base/error.hpp"
#include "gradus/graph/shape.hpp"
#include "gradus/simd/isa.hpp"
#include "ops/kernels/register_gemm.hpp"
#include "ops/kernels/row_dots.hpp"

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
template <class T> void row_by_blas(const GemmShape& g, const T* a, const T* b, T* c, T*) {
  if (g.b_column == 1) return blas_gemv(cxxblas::Trans, g.k, g.n, b, g.b_row, a, c);
  blas_gemv(cxxblas::NoTrans, g.n, g.k, b, g.b_column, a, c);
}
template <class T> void column_by_blas(const GemmShape& g, const T* a, const T* b, T* c, T*) {
  if (g.a_column == 1) return blas_gemv(cxxblas::NoTrans, g.m, g.k, a, g.a_row, b, c);
  blas_gemv(cxxblas::Trans, g.k, g.m, a, g.a_column, b, c);
}

// On AVX-512, OpenBLAS 0.3.21 takes products of up to 100³ multiplications, neither operand transposed, by
// kernels that call malloc unless the columns come out even. A run must not allocate: whole vectors of
// columns go to them, and the columns left over one by one to the matrix-vector product.
constexpr std::int64_t most_by_small_kernel = 100L * 100 * 100;

template <class T> void by_blas_without_malloc(const GemmShape& g, const T* a, const T* b, T* c, T*) {
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

// Each element by itself, for what is too small for vectors.
template <class T>
[[gnu::always_inline]] inline void sum_by_element(const GemmShape& g, const T* a, const T* b, T* c) {
  for (std::int64_t i = 0; i < g.m; ++i)
    for (std::int64_t j = 0; j < g.n; ++j)
      *c++ = short_dot(g.k, a + i * g.a_row, g.a_column, b + j * g.b_column, g.b_row);
}

// Up to 4 by 4 by 4, without a loop that is left at run time.
constexpr std::int64_t most_tiny = 4;

template <class T, std::int64_t m, std::int64_t n, std::int64_t k>
void tiny(const GemmShape& g, const T* a, const T* b, T* c, T*) {
  if (g.m != m) return sum_by_element(g, a, b, c);  // some of the rows
  sum_by_element({m, n, k, g.a_row, g.a_column, g.b_row, g.b_column}, a, b, c);
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

// A b of so many bytes no longer stays in the second-level cache, from where own kernels read it; BLAS copies
// it panel by panel. One that lies the other way round is copied by own kernels, less cleverly.
constexpr std::int64_t large_b = 1 << 20, large_transposed_b = 1 << 17;
constexpr std::int64_t least_depth_of_transposed_a = 256;

bool is_tiny(const GemmShape& g) { return std::max({g.m, g.n, g.k}) <= most_tiny; }

// Shorter rows are not worth dot products of their own.
constexpr std::int64_t shortest_row = 4;

// By the shape alone, so that the order of sums does not depend on the machine.
template <class T> GemmKernel<T> own_kernel(const GemmShape& g) {
  if (is_tiny(g)) return tiny_kernel<T>(g);
  if (g.k == 1 && g.b_column == 1) return RegisterGemm<T>::outer();
  const bool contiguous = g.a_column == 1 && g.b_row == 1 && g.k >= shortest_row;
  if (contiguous && (g.m == 1 || g.n == 1 || g.m * g.n * g.k <= small_work)) return row_dots<T>();
  return RegisterGemm<T>::tiles();
}

// On a CPU that it does not know, and that may be the newest, OpenBLAS takes the plainest kernels that it
// has.
bool blas_fits_isa() {
  static const bool fits = [] {
    const std::string_view core = openblas_get_corename();
    const bool has_avx512 = core == "SkylakeX" || core == "Cooperlake" || core == "SapphireRapids";
    const bool has_avx2 = has_avx512 || core == "Haswell" || core == "Zen";
    return current_isa() == Isa::avx512 ? has_avx512 : current_isa() != Isa::avx2 || has_avx2;
  }();
  return fits;
}

// As measured by benchmarks/products, with AVX2 and AVX-512 alike.
template <class T> bool blas_is_faster(const GemmShape& g) {
  if (g.m * g.n * g.k <= small_work || !blas_fits_isa()) return false;
  const std::int64_t width = (16 << static_cast<int>(current_isa())) / static_cast<std::int64_t>(sizeof(T));
  const std::int64_t bytes = g.k * g.n * static_cast<std::int64_t>(sizeof(T));
  if (g.n < width || bytes >= (g.b_column == 1 ? large_b : large_transposed_b)) return true;
  // With 16 registers, tiles are so small that a transposed a, which they copy, costs a tenth.
  return current_isa() != Isa::avx512 && g.a_row == 1 && g.m > 1 && g.k >= least_depth_of_transposed_a;
}

template <class T> GemmKernel<T> blas_kernel(const GemmShape& g) {
  prepare_blas(g);
  if (g.m == 1) return &row_by_blas<T>;
  if (g.n == 1) return &column_by_blas<T>;
  const bool small = g.a_column == 1 && g.b_column == 1 && g.m * g.n * g.k <= most_by_small_kernel;
  if (small) return &by_blas_without_malloc<T>;
  return [](const GemmShape& s, const T* a, const T* b, T* c, T*) { blas(s, s.n, a, b, c); };
}

}  // namespace

template <class T>
Gemm<T>::Gemm(std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_a, bool transpose_b,
              bool reproducible)
    : shape_{m, n, k, k, 1, n, 1} {
  // A matrix of one row or column is stored like its transpose.
  if (transpose_a && m > 1) shape_.a_row = 1, shape_.a_column = m;
  if (transpose_b && n > 1 && k > 1) shape_.b_row = 1, shape_.b_column = k;
  if (!reproducible && !is_tiny(shape_) && blas_is_faster<T>(shape_)) {
    kernel_ = blas_kernel<T>(shape_);
    rows_are_cheap_ = false;
    return;
  }
  // Rows of a stored A, weighted and added up, rather than one strided sum after the other.
  turned_ = n == 1 && shape_.a_row == 1 && m > 1 && !is_tiny(shape_);
  if (turned_) shape_ = {1, m, k, k, 1, shape_.a_column, 1};
  kernel_ = own_kernel<T>(shape_);
  if (kernel_ == RegisterGemm<T>::tiles()) workspace_ = RegisterGemm<T>::workspace(shape_);
}

template <class T>
void Gemm<T>::rows(const T* a, const T* b, T* c, T* workspace, std::int64_t from, std::int64_t to) const {
  GemmShape part = shape_;
  (turned_ ? part.n : part.m) = to - from;
  const T* const rows_of_a = a + from * (turned_ ? part.b_column : part.a_row);
  turned_ ? kernel_(part, b, rows_of_a, c, workspace) : kernel_(part, rows_of_a, b, c, workspace);
}

template class Gemm<float>;
template class Gemm<double>;

}  // namespace gradus
