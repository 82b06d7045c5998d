// Products of all small shapes, whichever kernel they get: against plain sums, whole and in parts. ctest runs
// this program once for each instruction set.
#include <cblas.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "gradus/base/random.hpp"
#include "gradus/graph/graph.hpp"
#include "gradus/graph/op.hpp"
#include "gradus/ops.hpp"
#include "gradus/simd/isa.hpp"
#include "tests/support/errors.hpp"

namespace gradus {
namespace {

template <class T> class Gemm : public testing::Test {
 protected:
  static std::vector<T> random(std::int64_t count, std::uint64_t seed) {
    Random numbers(seed);
    std::vector<T> values;
    for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<T>(numbers.uniform(-1, 1)));
    return values;
  }

  // The cases are drawn from all combinations.
  static void check(std::initializer_list<std::int64_t> rows, std::initializer_list<std::int64_t> columns,
                    std::initializer_list<std::int64_t> depths);
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Gemm, Types);

TYPED_TEST(Gemm, IsTheSumWholeAndByRows) {
  this->check({1, 2, 3, 4, 5, 7, 13, 100}, {1, 2, 3, 4, 5, 10, 16, 25, 33}, {1, 2, 3, 4, 5, 8, 9, 25, 70});
}

// Tiles side by side and one after the other, and what is left of them.
TYPED_TEST(Gemm, IsTheSumAcrossTiles) {
  this->check({1, 7, 13}, {49, 63, 65, 113, 129, 150}, {1, 5, 128, 129, 257});
}

// Blocks of a product, and sums that wait for others.
TYPED_TEST(Gemm, IsTheSumAcrossBlocks) {
  this->check({193, 390}, {3, 513}, {270});
  this->check({1, 30}, {2, 70}, {1151, 2600});
}

// Whether BLAS computes any products here: if so, then large ones.
bool blas_is_used() {
  Graph g;
  const Expr y = matmul(g.input("a", {1024, 1024}), g.input("b", {1024, 1024}));
  const Extents extents{1024, 1024};
  return !op_of(y)->rows_are_cheap({{extents, extents}, {extents}, {}}, DType::float32);
}

TEST(Blas, IsUsedWhereItHasKernelsForTheInstructionSet) {
  const std::map<std::string, Isa> best{{"Haswell", Isa::avx2},
                                        {"Zen", Isa::avx2},
                                        {"SkylakeX", Isa::avx512},
                                        {"Cooperlake", Isa::avx512},
                                        {"SapphireRapids", Isa::avx512}};
  const std::string core = openblas_get_corename();
  const Isa known = best.contains(core) ? best.at(core) : Isa::baseline;
  EXPECT_EQ(blas_is_used(), known >= current_isa()) << core;
}

// BLAS counts in int: what is larger has no kernel, whatever the memory.
TYPED_TEST(Gemm, RefusesWhatBlasCannotCount) {
  if (!blas_is_used()) GTEST_SKIP() << "all products are our own here";
  Graph g;
  const Expr y = matmul(g.input("a", {B, 300}), g.input("b", {300, 300}), {.b = true});
  const KernelShapes shapes{{{std::int64_t{1} << 31, 300}, {300, 300}}, {{std::int64_t{1} << 31, 300}}, {}};
  EXPECT_EQ(
      test::error_of([&] { op_of(y)->kernel(shapes, dtype_of<TypeParam>); }),
      "the product of [2147483648, 300] and [300, 300] has a side of 2^31 or more, which BLAS cannot count; "
      "use a smaller batch");
}

struct Variant {
  Transposed transposed;
  bool reproducible;
};
constexpr Variant variants[] = {
    {{}, false}, {{.a = true}, false}, {{.b = true}, false}, {{.a = true, .b = true}, false},
    {{}, true},  {{.a = true}, true},  {{.b = true}, true},  {{.a = true, .b = true}, true}};

template <class T>
void Gemm<T>::check(std::initializer_list<std::int64_t> rows_of_c,
                    std::initializer_list<std::int64_t> columns_of_c,
                    std::initializer_list<std::int64_t> depths) {
  for (const std::int64_t m : rows_of_c)
    for (const std::int64_t n : columns_of_c)
      for (const std::int64_t k : depths)
        for (const auto [transposed, reproducible] : variants) {
          SCOPED_TRACE(testing::Message()
                       << m << " x " << n << " x " << k << (transposed.a ? " aT" : "")
                       << (transposed.b ? " bT" : "") << (reproducible ? " reproducible" : ""));
          Graph g;
          const Extents a_extents = transposed.a ? Extents{k, m} : Extents{m, k},
                        b_extents = transposed.b ? Extents{n, k} : Extents{k, n};
          const Expr y = matmul(g.input("a", {a_extents[0], a_extents[1]}),
                                g.input("b", {b_extents[0], b_extents[1]}), transposed);
          const Op& op = *op_of(y);
          KernelShapes shapes{{a_extents, b_extents}, {{m, n}}, {}};
          shapes.reproducible = reproducible;
          std::vector<std::byte> workspace(op.workspace_bytes(shapes, dtype_of<T>));
          const auto a = random(m * k, 1), b = random(k * n, 2);
          const T* const inputs[] = {a.data(), b.data()};
          const auto count = static_cast<std::size_t>(m * n);
          const std::size_t margin = 256;  // on which nothing may be written
          std::vector<T> whole(count + 2 * margin, T(7)), parts(count + 2 * margin, T(7));
          T* output = whole.data() + margin;
          std::get<Kernel<T>>(op.kernel(shapes, dtype_of<T>))({inputs, &output, workspace.data()});
          shapes.in_parts = true;
          const auto rows = std::get<Kernel<T>>(op.kernel(shapes, dtype_of<T>));
          const std::int64_t first = m / 3;
          output = parts.data() + margin;
          if (first > 0) rows({inputs, &output, workspace.data(), 0, first});
          output += first * n;
          rows({inputs, &output, workspace.data(), first, m});
          // BLAS takes other kernels for parts.
          ASSERT_TRUE(op.rows_are_cheap(shapes, dtype_of<T>) || !reproducible);
          if (op.rows_are_cheap(shapes, dtype_of<T>)) {
            ASSERT_EQ(whole, parts);
          }
          for (const auto* product : {&whole, &parts})
            for (std::size_t i = 0; i < margin; ++i) {
              ASSERT_EQ((*product)[i], T(7));
              ASSERT_EQ((*product)[margin + count + i], T(7));
            }
          for (std::int64_t i = 0; i < m; ++i)
            for (std::int64_t j = 0; j < n; ++j) {
              double sum = 0, size = 0;
              for (std::int64_t p = 0; p < k; ++p) {
                const auto left = static_cast<std::size_t>(transposed.a ? p * m + i : i * k + p),
                           right = static_cast<std::size_t>(transposed.b ? j * k + p : p * n + j);
                const double term = static_cast<double>(a[left]) * static_cast<double>(b[right]);
                sum += term;
                size += std::abs(term);
              }
              const double bound = size * static_cast<double>(k + 2) * std::numeric_limits<T>::epsilon();
              for (const auto* product : {&whole, &parts})
                ASSERT_NEAR(static_cast<double>((*product)[margin + static_cast<std::size_t>(i * n + j)]),
                            sum, bound);
            }
        }
}

}  // namespace
}  // namespace gradus
