#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/ops.hpp"
#include "tests/support/evaluate.hpp"

// Products whose factors may be 0, to the second order, against the products of the others.
namespace gradus::test {
namespace {

double product_without(const Numbers& x, std::initializer_list<std::size_t> left_out) {
  double product = 1;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (std::ranges::count(left_out, i) == 0) product *= x[i];
  return product;
}

// The gradient, and row `i` of the second derivatives.
void expect_derivatives(const Numbers& x) {
  Graph g;
  const Expr leaf = g.input("x", {std::ssize(x)});
  const Expr gradient = grad(prod(leaf), leaf);
  const auto found = evaluate(gradient, {{leaf, x}});
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_DOUBLE_EQ(found[i], product_without(x, {i})) << "slope " << i;
    Numbers weights(x.size());
    weights[i] = 1;
    const Expr row = grad(sum(gradient * g.constant({std::ssize(x)}, weights)), leaf);
    const auto second = evaluate(row, {{leaf, x}});
    for (std::size_t k = 0; k < x.size(); ++k)
      EXPECT_DOUBLE_EQ(second[k], k == i ? 0 : product_without(x, {i, k})) << "of slope " << i << " by " << k;
  }
}

TEST(Prod, HasTheProductsOfTheOthersAsSlopes) {
  for (const Numbers& x : {Numbers{2, 3, -5, 0.5}, Numbers{2, 0, -5, 0.5}, Numbers{0, 3, -5, 0},
                           Numbers{0, 0, 0, 4}, Numbers{0, 7}, Numbers{-3}})
    expect_derivatives(x);
}

TEST(Prod, OfSomeAxesOnly) {
  Graph g;
  const Expr x = g.input("x", {2, 3});
  const auto found = evaluate(Exprs{prod(x, {1}), prod(x, {0}, true), prod(x), grad(sum(prod(x, {1})), x)},
                              {{x, Numbers{1, 2, 0, 4, 5, 6}}});
  EXPECT_EQ(found[0], (Numbers{0, 120}));
  EXPECT_EQ(found[1], (Numbers{4, 10, 0}));
  EXPECT_EQ(found[2], Numbers{0});
  EXPECT_EQ(found[3], (Numbers{0, 0, 2, 30, 24, 20}));
}

TEST(Min, SharesItsGradientAmongEquals) {
  Graph g;
  const Expr x = g.input("x", {4});
  EXPECT_EQ(evaluate(grad(min(x), x), {{x, Numbers{3, 1, 2, 1}}}), (Numbers{0, 0.5, 0, 0.5}));
  EXPECT_TRUE(std::isnan(evaluate(min(x), {{x, Numbers{3, std::nan(""), 2, 1}}})[0]));
}

// Mean, deviation and tails of many numbers, the same in float as in double but for the rounding, and known
// bits.
TEST(RandomNormal, IsStandardNormal) {
  Graph g;
  const Expr state = g.input("state", {4});
  constexpr std::int64_t count = 1'000'000;
  const Expr drawn = random_normal(state, 3, {count});
  const std::vector<Feed> at = {{state, Numbers{1, 2, 3, 4}}};
  const auto values = evaluate<double>(drawn, at);
  const auto floats = evaluate<float>(drawn, at);
  double sum = 0, squares = 0, fourth = 0;
  int beyond_three = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double v = values[i];
    ASSERT_EQ(floats[i], static_cast<float>(v));
    ASSERT_LT(std::abs(v), 6.8);
    sum += v, squares += v * v, fourth += v * v * v * v;
    beyond_three += std::abs(v) > 3 ? 1 : 0;
  }
  EXPECT_NEAR(sum / count, 0, 4e-3);
  EXPECT_NEAR(squares / count, 1, 6e-3);
  EXPECT_NEAR(fourth / count, 3, 4e-2);
  EXPECT_NEAR(beyond_three / 1e6, 0.0027, 0.0002);
  const Numbers first(values.begin(), values.begin() + 4);
  EXPECT_EQ(first,
            (Numbers{-0.50753735718834025, 0.86335367854081002, -2.3683319374072287, 0.079501625275362198}));
}

// What a neighbour is does not matter, even one that is left to std.
TEST(Moderate, HasTheSameBitsBesideHugeNumbers) {
  Graph g;
  const Expr x = g.input("x", {9});
  const Exprs all{sin(x), cos(x), tan(x)};
  const Numbers alone{0.1, -2, 3, 40, -500, 6000, 0, 80, 9};
  Numbers beside = alone;
  beside[6] = 1e30;
  const auto of_alone = evaluate<float>(all, {{x, alone}});
  auto of_beside = evaluate<float>(all, {{x, beside}});
  for (std::size_t f = 0; f < all.size(); ++f) {
    of_beside[f][6] = of_alone[f][6];
    EXPECT_TRUE(same_bits(of_beside[f], of_alone[f]));
  }
}

}  // namespace
}  // namespace gradus::test
