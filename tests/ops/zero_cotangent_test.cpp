#include <gtest/gtest.h>

#include <limits>

#include "gradus/graph/op.hpp"
#include "tests/support/op_table.hpp"

// An exact zero cotangent gives an exact zero gradient, whatever the slope: over all rows of the op table, at
// the points where slopes are infinite or undefined, to the third order.
namespace gradus::test {
namespace {

template <class T> Numbers special_points() {
  using Limits = std::numeric_limits<T>;
  Numbers points;
  for (const double size : {0.0, 1.0, double{Limits::denorm_min()}, double{Limits::min()}, 1e-30, 1e30,
                            double{Limits::max()}, double{Limits::infinity()}}) {
    points.push_back(size);
    points.push_back(-size);
  }
  points.push_back(Limits::quiet_NaN());
  return points;
}

// A product of matrices adds up terms of all rows, so that 0 · ∞ is what arithmetic makes of it.
bool multiplies_matrices(const Graph& graph) {
  for (NodeId id = 0; id < graph.size(); ++id)
    if (graph[id].name() == "matmul") return true;
  return false;
}

class ZeroCotangent : public testing::TestWithParam<OpRow> {
 protected:
  // The row's inputs at special points, but for labels and conditions, in the `turn`-th arrangement.
  static void place(Case& c, const Numbers& points, std::size_t turn) {
    for (std::size_t k = 0; k < c.x.size(); ++k) {
      if (GetParam().inputs[k].domain.whole) continue;
      auto& values = c.values[k].values;
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = points[(i * (k + 1) + turn) % points.size()];
    }
  }
  static Tensor& cotangent(Case& c) { return c.values[c.x.size()]; }
};

INSTANTIATE_TEST_SUITE_P(Table, ZeroCotangent,
                         testing::ValuesIn(rows_where([](const OpRow& r) { return r.differentiable(); })),
                         row_name);

template <class T> void expect_zeros(const Case& c, const Exprs& exprs, const std::string& what) {
  for (const bool optimize : {false, true}) {
    const auto values = c.compile<T>(exprs, {.optimize = optimize}).run();
    for (std::size_t k = 0; k < values.size(); ++k)
      for (std::size_t i = 0; i < values[k].size(); ++i)
        ASSERT_EQ(values[k][i], T(0)) << what << " of input " << k << ", element " << i << ", optimize "
                                      << optimize << ", first input " << c.values[0].values[0];
  }
}

template <class T> void expect_no_gradient(Case& c) {
  expect_zeros<T>(c, c.gradients, "the gradient");
  if (c.second.empty()) return;
  expect_zeros<T>(c, c.second, "the second derivative");
  Exprs differentiable, ones;
  for (const std::size_t k : c.wrt) differentiable.push_back(c.x[k]);
  for (const Expr& second : c.second) ones.push_back(c.graph.full(second.shape(), 1.0));
  expect_zeros<T>(c, vjp(c.second, ones, differentiable), "the third derivative");
}

TEST_P(ZeroCotangent, GivesNoGradientWhateverTheSlope) {
  const auto check = [&]<class T>(T) {
    const Numbers points = special_points<T>();
    for (std::size_t turn = 0; turn < points.size(); ++turn) {
      Case c(GetParam(), 3);
      if (multiplies_matrices(c.graph)) GTEST_SKIP() << "adds products of other rows";
      place(c, points, turn);
      std::ranges::fill(cotangent(c).values, 0);
      expect_no_gradient<T>(c);
    }
  };
  check(float{});
  check(double{});
}

// Elements whose cotangent is not zero neither matter nor suffer.
TEST_P(ZeroCotangent, OfSomeElementsGivesThoseNoGradient) {
  const auto check = [&]<class T>(T) {
    const Numbers points = special_points<T>();
    for (std::size_t turn = 0; turn < points.size(); ++turn) {
      Case c(GetParam(), 3);
      const Op* op = op_of(c.output);
      if (op == nullptr || op->elementwise() == nullptr ||
          !std::ranges::all_of(c.x, [&](const Expr& x) { return x.shape() == c.output.shape(); }))
        GTEST_SKIP() << "its elements are not those of its inputs";
      const Tensors ordinary(c.values.begin(), c.values.begin() + std::ssize(c.x));
      const auto expected = c.compile<T>(c.gradients).run();
      place(c, points, turn);
      for (std::size_t i = 0; i < cotangent(c).values.size(); ++i) {
        if (i % 2 == 0) {
          cotangent(c).values[i] = 0;
          continue;
        }
        for (std::size_t k = 0; k < c.x.size(); ++k) c.values[k].values[i] = ordinary[k].values[i];
      }
      const auto found = c.compile<T>(c.gradients).run();
      for (std::size_t k = 0; k < found.size(); ++k)
        for (std::size_t i = 0; i < found[k].size(); ++i)
          ASSERT_EQ(found[k][i], i % 2 == 0 ? T(0) : expected[k][i]) << "input " << k << ", element " << i;
    }
  };
  check(float{});
  check(double{});
}

// Models in which such slopes occur: f(x) where a condition holds, at points where it does not.
struct Guarded {
  const char* name;
  Expr (*build)(const Expr& x);
  Numbers points;
};

const Guarded guarded[] = {
    {"log", [](const Expr& x) { return where(x > 0, log(x), 0); }, {0, -1}},
    {"sqrt", [](const Expr& x) { return where(x > 0, sqrt(x), 0); }, {0, -1}},
    {"reciprocal", [](const Expr& x) { return where(not_equal(x, 0), 1 / x, 0); }, {0}},
    {"entropy", [](const Expr& x) { return where(x > 0, x * log(x), 0); }, {0, -1}},
    {"sinc", [](const Expr& x) { return where(abs(x) > 1e-3, tanh(x) / x, 1); }, {0}},
    {"power", [](const Expr& x) { return where(x > 0, pow(x, 0.3), 0); }, {0, -2}},
    {"power_of_both", [](const Expr& x) { return where(x > 0, pow(x, x), 1); }, {0, -2}},
    {"log1p", [](const Expr& x) { return where(x > -1, log1p(x), 0); }, {-1, -2}},
    {"square_of_log", [](const Expr& x) { return where(x > 0, square(log(x)), 0); }, {0, -1}},
    {"exp", [](const Expr& x) { return where(x < 1e3, exp(x), 0); }, {1e5}},
    {"root_of_quotient", [](const Expr& x) { return where(x > 0, sqrt(1 / x), 0); }, {0, -1}},
    {"normalised", [](const Expr& x) { return where(x > 0, x / sqrt(square(x)), 0); }, {0}},
    {"norm", [](const Expr& x) { return norm(x, {}); }, {0}},
};

template <class T> void expect_guarded(const Guarded& g, double point) {
  Graph graph;
  const Expr x = graph.input("x", {1});
  Expr slope = sum(g.build(x));
  for (int order = 1; order <= 3; ++order) {
    slope = grad(sum(slope), x);
    EXPECT_EQ(evaluate<T>(slope, {{x, Tensor::vector({point})}}), std::vector<T>{0})
        << g.name << " at " << point << ", order " << order;
  }
}

TEST(Guarded, HasNoGradientWhereItsConditionFails) {
  for (const Guarded& g : guarded)
    for (const double point : g.points) {
      expect_guarded<double>(g, point);
      expect_guarded<float>(g, point);
    }
}

TEST(Norm, KeepsItsDigitsOverTheWholeRange) {
  Graph graph;
  const Expr x = graph.input("x", {2});
  const Exprs both{norm(x), grad(norm(x), x)};
  for (const float scale : {1e-37F, 1e-20F, 1.0F, 1e20F, 6e37F}) {
    const auto found = evaluate<float>(both, {{x, Tensor::vector({3 * scale, 4 * scale})}});
    EXPECT_NEAR(found[0][0] / scale, 5, 1e-6) << scale;
    EXPECT_NEAR(found[1][0], 0.6, 1e-6) << scale;
    EXPECT_NEAR(found[1][1], 0.8, 1e-6) << scale;
  }
  EXPECT_EQ(evaluate<float>(both, {{x, Tensor::vector({0, 0})}}),
            (std::vector<std::vector<float>>{{0}, {0, 0}}));
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(evaluate<double>(norm(x), {{x, Tensor::vector({1, -infinity})}}), Numbers{infinity});
}

// The slopes are those of a smaller x, to the second order, even if the norm itself overflows.
template <class T> void expect_norm_of_multiples() {
  using Limits = std::numeric_limits<T>;
  Graph graph;
  const Expr x = graph.input("x", {3}), c = graph.input("c", {3});
  const Expr slope = grad(norm(x), x);
  const T least = Limits::min(), most = Limits::max();
  for (const T scale : {64 * least, std::sqrt(least), T(1), std::sqrt(most), most / 16, most / 4}) {
    const Tensor at = Tensor::vector({3 * double{scale}, -4 * double{scale}, 0});
    const auto found = evaluate<T>({norm(x), slope, grad(sum(c * slope), x)},
                                   {{x, at}, {c, Numbers{double{scale} / 4, 0, 0}}});
    const T exact = scale > most / 8 ? Limits::infinity() : 5 * scale;
    EXPECT_TRUE(found[0][0] == exact || std::abs(found[0][0] / exact - 1) < 4 * Limits::epsilon()) << scale;
    const double slopes[][3] = {{0.6, -0.8, 0}, {0.032, 0.024, 0}};
    for (std::size_t order = 0; order < (scale > most / 8 ? 1 : 2); ++order)  // 1/|x| would be denormal
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_NEAR(found[1 + order][i], slopes[order][i], 8 * Limits::epsilon())
            << scale << ", order " << order + 1 << ", element " << i;
  }
}

TEST(Norm, HasItsSlopesOverTheWholeRange) {
  expect_norm_of_multiples<float>();
  expect_norm_of_multiples<double>();
}

// A network whose root of a sum of squares meets a sample of zeros.
TEST(Norm, LetsASampleOfZerosTrain) {
  Graph graph;
  const Expr x = graph.input("x", {B, 2}), w = graph.input("w", {2, 3});
  const Expr loss = sum(norm(matmul(x, w), {1}));
  const std::vector<Feed> at = {{x, Tensor{{2, 2}, {0, 0, 3, 4}}}, {w, Tensor{{2, 3}, {1, 0, 0, 0, 1, 0}}}};
  EXPECT_TRUE(close(evaluate(grad(loss, w), at, 2), Numbers{9. / 5, 12. / 5, 0, 12. / 5, 16. / 5, 0}, 1e-15));
}

}  // namespace
}  // namespace gradus::test
