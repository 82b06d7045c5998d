#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

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

// Products of numbers whose partial products leave the range of the type, from either side.
template <class T> void expect_slopes_in_range(Numbers x) {
  for (double& v : x) v = double{static_cast<T>(v)};
  Graph g;
  const Expr leaf = g.input("x", {std::ssize(x)});
  const Expr gradient = grad(prod(leaf), leaf);
  Numbers weights(x.size());
  weights[0] = 1;
  const Expr row = grad(sum(gradient * g.constant({std::ssize(x)}, weights)), leaf);
  const auto exact = [&](std::initializer_list<std::size_t> left_out) {
    long double log_of_size = 0, sign = 1;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (std::ranges::count(left_out, i) > 0) continue;
      if (x[i] == 0) return 0.0L;
      log_of_size += std::log(std::abs(static_cast<long double>(x[i])));
      if (x[i] < 0) sign = -sign;
    }
    return sign * std::exp(log_of_size);
  };
  const auto found = evaluate<T>(Exprs{gradient, row}, {{leaf, x}});
  constexpr long double least = std::numeric_limits<T>::min();
  constexpr long double share = sizeof(T) == sizeof(float) ? 3e-5 : 1e-13;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double slope = exact({i}), second = i == 0 ? 0 : exact({0, i});
    EXPECT_NEAR(found[0][i], slope, share * std::abs(slope) + least) << "slope " << i << " of " << x.size();
    // The two terms of a quotient's slope must be numbers, too; by its own factor, they cancel.
    const long double term = exact({0}) / x[0];
    if (x[0] == 0 || std::abs(exact({0})) < least || !std::isfinite(static_cast<T>(term)) ||
        !std::isfinite(static_cast<T>(second)))
      continue;
    EXPECT_NEAR(found[1][i], second, share * std::abs(i == 0 ? term : second) + least)
        << "second " << i << " of " << x.size();
  }
}

TEST(Prod, KeepsItsSlopesWhereProductsLeaveTheRange) {
  const auto halves = [](double first, double second, std::size_t count) {
    Numbers x(2 * count, first);
    std::fill_n(x.begin() + static_cast<std::ptrdiff_t>(count), count, second);
    x[1] *= -1;
    return x;
  };
  for (const double size : {30.0, 1 / 30.0, 7.0, 1e3}) {
    expect_slopes_in_range<float>(halves(size, 1 / size, 30));
    expect_slopes_in_range<double>(halves(std::pow(size, 8), std::pow(size, -8), 30));
  }
  for (const auto& x : {Numbers{1e-30, 1e-30, 1e20, 1e20},
                        {1e20, 1e20, 1e-30, 1e-30},
                        {1e20, 1e20, 1e-30, 0},
                        {1e-30, 1e-30, 1e20, 0},
                        {0, 1e20, 1e20, 0},
                        {1e25, 1e-20, 1e25, 1e-20}}) {
    expect_slopes_in_range<float>(x);
    Numbers wide = x;
    for (double& v : wide) v *= std::pow(std::abs(v), 7);
    expect_slopes_in_range<double>(wide);
  }
}

// 0 · ∞ is 0 from either side, in the values as in the reverse rule.
TEST(LinearRecurrence, TakesNothingFromZeroTimesInfinity) {
  Graph g;
  const Expr a = g.input("a", {3});
  constexpr double infinity = HUGE_VAL;
  for (const bool backwards : {false, true}) {
    const Expr y = linear_recurrence(a, g.full({3}, 0.0), 0, {.first = 1, .from_the_end = backwards});
    for (Numbers x : {Numbers{infinity, 0, 1}, {0, infinity, 1}, {-infinity, 0, 1}, {0, -infinity, 1}}) {
      Numbers wanted{1, x[0], 0};
      if (backwards) std::ranges::reverse(x), std::ranges::reverse(wanted);
      EXPECT_EQ(evaluate<float>(y, {{a, x}}), std::vector<float>(wanted.begin(), wanted.end()));
      EXPECT_EQ(evaluate<double>(y, {{a, x}}), wanted);
    }
  }
}

TEST(Gaussian, HasFactorsOfAnySize) {
  Graph g;
  const Numbers points{0, 1e-30, -1e-20, 1e-10, 1, -3, 1e10, 1e20, 1e22, HUGE_VAL};
  const Expr x = g.input("x", {std::ssize(points)});
  const auto check = [&]<class T>(T, double a) {
    const Expr y = gaussian(x, a);
    const auto found = evaluate<T>(Exprs{y, grad(sum(y), x)}, {{x, points}});
    for (std::size_t i = 0; i < points.size(); ++i) {
      const long double v = static_cast<T>(points[i]), value = std::exp(-a * v * v);
      const T slope = static_cast<T>(std::isinf(v) || value == 0 ? 0 : -2 * a * v * value);
      const double share = sizeof(T) == sizeof(float) ? 3e-6 : 1e-14, least = std::numeric_limits<T>::min();
      EXPECT_NEAR(found[0][i], value, share * value + 2 * least) << a << " at " << points[i];
      if (std::isinf(slope))
        EXPECT_EQ(found[1][i], slope);
      else
        EXPECT_NEAR(found[1][i], slope, share * std::abs(slope) + 2 * least) << a << " at " << points[i];
    }
  };
  for (const double a :
       {1e39, 1e-45, 1e-39, 3e38, 1e45, 2e-44, 1e60, 1e-60, 1e300, 1e-300, 5e-324, 0.5, 7.0}) {
    check(float{}, a);
    check(double{}, a);
  }
}

// The limits far out, to the second order.
TEST(GeluTanh, HasItsLimits) {
  Graph g;
  const Numbers points{-HUGE_VAL, -1e300, -1e30, -60, 60, 1e30, 1e300, HUGE_VAL};
  const Expr x = g.input("x", {std::ssize(points)});
  const Expr y = gelu_tanh(x), slope = grad(sum(y), x);
  const auto check = [&]<class T>(T) {
    const auto found = evaluate<T>(Exprs{y, slope, grad(sum(slope), x)}, {{x, points}});
    for (std::size_t i = 0; i < points.size(); ++i) {
      EXPECT_EQ(found[0][i], points[i] < 0 ? T(0) : static_cast<T>(points[i])) << points[i];
      EXPECT_EQ(found[1][i], points[i] < 0 ? T(0) : T(1)) << points[i];
      EXPECT_EQ(found[2][i], T(0)) << points[i];
    }
  };
  check(float{});
  check(double{});
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

// Running products leave the range of float here, from both ends, and pairs of factors do not.
TEST(Prod, IsExactAtTheEdgesOfTheRange) {
  const auto slopes = [](const Numbers& exponents, double third, double seventh) {
    Numbers x;
    for (const double e : exponents) x.push_back(std::exp2(e));
    x[3] = third;
    x[6] *= seventh;
    Graph g;
    const Expr leaf = g.input("x", {std::ssize(x)});
    return evaluate<float>(Exprs{grad(prod(leaf), leaf)}, {{leaf, x}})[0];
  };
  // A product of 1, which might be taken for one that says nothing.
  EXPECT_EQ(slopes({100, 50, 10, 0, -100, -50, -10, 0}, 1, 1)[3], 1);
  // The others of a 0 come to three quarters of the first number that is none.
  EXPECT_EQ(slopes({100, 50, 10, 0, -40, -10, -3, 20}, 0, 1.5)[3], 1.5 * std::exp2(127));
}

}  // namespace
}  // namespace gradus::test
