// xtensor at the edge of the API: feeding, reading, setting; and xtensor-blas as the reference for products.
#include "gradus/runtime/xtensor.hpp"

#include <gtest/gtest.h>

#include <xtensor-blas/xlinalg.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xrandom.hpp>
#include <xtensor/xview.hpp>

#include "gradus/ops.hpp"

namespace gradus {
namespace {

xt::xarray<double> random_matrix(std::size_t rows, std::size_t columns) {
  return xt::random::randn<double>({rows, columns});
}

double largest_difference(const xt::xarray<double>& a, const xt::xarray<double>& b) {
  EXPECT_EQ(a.shape(), b.shape());
  return xt::amax(xt::abs(a - b))();
}

// Sizes on both sides of every choice between own loops, matrix-vector and matrix-matrix products.
TEST(Xtensor, ProductsOfAllSizesAgreeWithXtensorBlas) {
  xt::random::seed(1);
  for (const std::size_t m : {1U, 2U, 17U, 64U})
    for (const std::size_t k : {1U, 3U, 33U, 130U})
      for (const std::size_t n : {1U, 2U, 5U, 70U}) {
        Graph g;
        const auto extent = [](std::size_t v) { return static_cast<std::int64_t>(v); };
        const Expr a = g.input("a", {B, extent(k)});
        const Expr b = g.input("b", {extent(k), extent(n)});
        const Expr at = transpose(a), bt = transpose(b);
        Store<double> store;
        auto program = compile<double>({matmul(a, b), matmul(at, b, {.a = true}), matmul(a, bt, {.b = true}),
                                        matmul(at, bt, {.a = true, .b = true})},
                                       {}, extent(m), store);
        const auto x = random_matrix(m, k), y = random_matrix(k, n);
        feed(program, a, x);
        feed(program, b, y);
        program.run();
        const xt::xarray<double> expected = xt::linalg::dot(x, y);
        for (std::size_t i = 0; i < 4; ++i)
          EXPECT_LE(largest_difference(to_xtensor(program.output(i)), expected), 1e-12)
              << m << " " << k << " " << n;
      }
}

TEST(Xtensor, ExpressionsAndViewsCanBeFed) {
  Graph g;
  const Expr x = g.input("x", {B, 2});
  Store<float> store;
  auto program = compile<float>({2 * x}, {}, 2, store);
  const xt::xarray<float> all{{1, 2, 3}, {4, 5, 6}};
  feed(program, x, xt::view(all, xt::all(), xt::range(1, 3)) + 1.0F);
  program.run();
  EXPECT_EQ(to_xtensor(program.output()), (xt::xarray<float>{{6, 8}, {12, 14}}));
  EXPECT_THROW(feed(program, x, all), Error);
  // The right count in the wrong shape.
  EXPECT_THROW(feed(program, x, xt::xarray<float>({1, 2, 3, 4})), Error);
}

TEST(Xtensor, VariablesCanBeSetAndRead) {
  Graph g;
  const Expr w = g.parameter("w", {2, 2});
  Store<double> store;
  store.create(g);
  set(store, "w", xt::xarray<double>{{1, 2}, {3, 4}});
  EXPECT_EQ(to_xtensor(store, "w"), (xt::xarray<double>{{1, 2}, {3, 4}}));
  EXPECT_THROW(set(store, "w", xt::xarray<double>({1, 2, 3, 4})), Error);
  EXPECT_THROW(set(store, "v", xt::xarray<double>({1, 2})), Error);
  auto program = compile<double>({sum(w, {0})}, {}, 1, store);
  program.run();
  EXPECT_EQ(to_xtensor(program.output()), (xt::xarray<double>{4, 6}));
}

}  // namespace
}  // namespace gradus
