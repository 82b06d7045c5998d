// How large a gradient is: only what is asked for is built, and what is built grows with the graph and no
// faster.

#include <gtest/gtest.h>

#include <cmath>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/ops.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/graphs.hpp"

namespace gradus {
namespace {

using test::evaluate;
using test::op_count;
using test::op_counts;

// Two layers; the middle is 5 wide, so that each cotangent is known by its shape.
struct Perceptron {
  Graph g;
  Expr x = g.input("x", {B, 7});
  Expr target = g.input("target", {B, 3});
  Expr w1 = g.parameter("w1", {7, 5});
  Expr w2 = g.parameter("w2", {5, 3});
  Expr hidden = tanh(matmul(x, w1));
  Expr loss = mse(matmul(hidden, w2), target);

  // The matrix products and the shapes that the gradient adds.
  int products_of_grad(const std::vector<Expr>& wrt) {
    const NodeId first = g.size();
    grad(loss, wrt);
    return op_counts(g, first)["matmul"];
  }
  int nodes_of_shape(const Shape& shape) const {
    int count = 0;
    for (NodeId id = 0; id < g.size(); ++id) count += g[id].shape == shape ? 1 : 0;
    return count;
  }
};

TEST(DeadCotangents, OfTheLastLayerAloneNeedsOneProduct) {
  Perceptron p;
  const int hidden_before = p.nodes_of_shape({B, 5});
  EXPECT_EQ(p.products_of_grad({p.w2}), 1);
  EXPECT_EQ(p.nodes_of_shape({B, 5}), hidden_before) << "no cotangent of the hidden layer";
  EXPECT_EQ(p.nodes_of_shape({7, 5}), 1) << "no gradient of w1";
}

TEST(DeadCotangents, OfTheFirstLayerAloneSkipsTheSecondsWeights) {
  Perceptron p;
  EXPECT_EQ(p.products_of_grad({p.w1}), 2);
  EXPECT_EQ(p.nodes_of_shape({5, 3}), 1) << "no gradient of w2";
  EXPECT_EQ(p.nodes_of_shape({B, 7}), 1) << "no cotangent of the input";
}

TEST(DeadCotangents, OfBothLayersNeverReachTheInput) {
  Perceptron p;
  EXPECT_EQ(p.products_of_grad({p.w1, p.w2}), 3);
  EXPECT_EQ(p.nodes_of_shape({B, 7}), 1);
}

TEST(DeadCotangents, OfTheTargetNeedNoProductAtAll) {
  Perceptron p;
  EXPECT_EQ(p.products_of_grad({p.target}), 0);
}

TEST(DeadCotangents, OfWhatNobodyAskedForAreNotSummed) {
  Graph g;
  const Expr x = g.input("x", {3}), w = g.parameter("w", {3});
  const Expr loss = sum((w + x) + x);
  const NodeId first = g.size();
  grad(loss, w);
  EXPECT_EQ(op_counts(g, first)["add"], 0) << "add's rule yields a cotangent for x each time";
}

TEST(DeadCotangents, NothingIsBuiltBehindANodeWithoutDerivative) {
  Graph g;
  const Expr x = g.input("x", {B});
  const Expr loss = sum((exp(x) > 1) * tanh(stop_gradient(exp(2 * x))));
  const NodeId first = g.size();
  grad(loss, x);
  auto added = op_counts(g, first);
  EXPECT_EQ(added["exp"], 0);
  // Two products of a product's rule, at most: none of exp's.
  EXPECT_LE(added["mul"], 5);
}

TEST(Chain, OfAHundredThousandNodesIsDifferentiatedAndCompiledWithoutRecursion) {
  constexpr NodeId n = 100'000;
  constexpr double factor = 1 + 0x1p-20;
  Graph g;
  const Expr x = g.input("x", {}), c = g.input("c", {});
  Expr y = x;
  for (NodeId i = 0; i < n; ++i) y = y * c;
  EXPECT_EQ(g.size(), 2 + n);
  const Expr dx = grad(y, x);
  EXPECT_EQ(g.size(), 2 + n + 1 + n) << "the seed, and a product for each";
  double value = 1.5, derivative = 1;
  for (NodeId i = 0; i < n; ++i) value *= factor, derivative *= factor;

  Store<double> store;
  auto executable = compile<double>({y, dx}, {}, 1, store);
  executable.feed(x, {1.5});
  executable.feed(c, {factor});
  executable.run();
  EXPECT_EQ(executable.output(0).item(), value);
  EXPECT_EQ(executable.output(1).item(), derivative);
}

TEST(Chain, OfAFunctionHasAGradientOfOneNodeForEach) {
  constexpr NodeId n = 10'000;
  Graph g;
  const Expr x = g.input("x", {});
  Expr y = x;
  for (NodeId i = 0; i < n; ++i) y = tanh(y);
  const Expr dx = grad(y, x);
  // The seed, and a slope for each.
  EXPECT_EQ(g.size(), 1 + n + 1 + n);

  std::vector<double> values{0.75};
  for (NodeId i = 0; i < n; ++i) values.push_back(std::tanh(values.back()));
  double cotangent = 1;
  for (auto i = static_cast<std::size_t>(n); i > 0; --i) cotangent *= 1 - values[i] * values[i];

  for (const bool optimize : {true, false}) {
    Store<double> store;
    auto executable = compile<double>({y, dx}, {}, 1, store, {.optimize = optimize});
    executable.feed(x, {0.75});
    executable.run();
    // std::tanh may differ in the last bits.
    EXPECT_NEAR(executable.output(0).item(), values.back(), 1e-12 * values.back())
        << "optimize: " << optimize;
    EXPECT_NEAR(executable.output(1).item(), cotangent, 1e-10 * cotangent) << "optimize: " << optimize;
  }
}

TEST(Chain, OfProductsWithConstantsHasAGradientThatIsFolded) {
  constexpr NodeId n = 10'000;
  constexpr double c = 1 + 0x1p-20;
  Graph g;
  const Expr x = g.input("x", {});
  Expr y = x;
  for (NodeId i = 0; i < n; ++i) y = y * c;
  const Expr dx = grad(y, x);
  EXPECT_EQ(g.size(), 2 + n + 1 + n);
  double expected = 1;
  for (NodeId i = 0; i < n; ++i) expected *= c;
  Store<double> store;
  auto executable = compile<double>({dx}, {}, 1, store);
  executable.run();
  EXPECT_EQ(executable.output().item(), expected);
  EXPECT_EQ(op_counts(executable), (test::OpCounts{{"full", 1}})) << "a number, found at compile time";
}

// x ↦ x·c + x, k times: 2ᵏ paths.
struct Ladder {
  Graph g;
  Expr x = g.input("x", {});
  Expr c = g.input("c", {});
  Expr y = x;
  explicit Ladder(int steps) {
    for (int k = 0; k < steps; ++k) y = y * c + y;
  }
};

TEST(DiamondLadder, OfFortyStepsHasAGradientOfLinearSize) {
  Ladder ladder(40);
  EXPECT_EQ(ladder.g.size(), 2 + 2 * 40);
  const Expr dx = grad(ladder.y, ladder.x);
  // The seed, and per step a product and a sum.
  EXPECT_EQ(ladder.g.size(), 2 + 2 * 40 + 1 + 2 * 40);
  double value = 1.5;
  double derivative = 1;
  for (int k = 0; k < 40; ++k) {
    value = value * 0.125 + value;
    derivative = derivative * 0.125 + derivative;
  }
  const std::vector<test::Feed> feeds{{ladder.x, {1.5}}, {ladder.c, {0.125}}};
  EXPECT_EQ(evaluate(ladder.y, feeds).front(), value);
  EXPECT_EQ(evaluate(dx, {feeds[1]}).front(), derivative);
}

TEST(DiamondLadder, GrowsByTheSameNumberOfNodesForEachStepAndOrder) {
  const auto sizes = [](int steps) {
    Ladder ladder(steps);
    std::vector<NodeId> at{ladder.g.size()};
    Expr derivative = ladder.y;
    for (int order = 1; order <= 2; ++order) {
      derivative = grad(derivative, ladder.c);
      at.push_back(ladder.g.size());
    }
    return at;
  };
  const auto ten = sizes(10), twenty = sizes(20), forty = sizes(40);
  for (std::size_t order = 0; order <= 2; ++order)
    EXPECT_EQ(forty[order] - twenty[order], 2 * (twenty[order] - ten[order])) << "order " << order;
  EXPECT_LT(forty[2], 40 * 20);
}

TEST(DiamondLadder, WithTwoDistinctBranchesHasAGradientOfLinearSize) {
  Graph g;
  const Expr x = g.input("x", {});
  Expr y = x;
  for (int k = 0; k < 40; ++k) y = tanh(y) + exp(-y);
  EXPECT_EQ(g.size(), 1 + 4 * 40);
  const Expr dx = grad(y, x);
  // 1 (also the seed) and −1; per step one node for tanh, one for exp, one for neg, and one sum.
  EXPECT_EQ(g.size(), 1 + 4 * 40 + 2 + 4 * 40);

  double value = 0.5;
  double derivative = 1;
  for (int k = 0; k < 40; ++k) {
    const double t = std::tanh(value), e = std::exp(-value);
    derivative *= 1 - t * t - e;
    value = t + e;
  }
  EXPECT_EQ(evaluate(y, {{x, {0.5}}}).front(), value);
  EXPECT_NEAR(evaluate(dx, {{x, {0.5}}}).front(), derivative, 1e-12 * std::abs(derivative));
}

TEST(FanOut, OfTenThousandReadersIsSummedInOneWalk) {
  constexpr int n = 10'000;
  Graph g;
  const Expr x = g.input("x", {});
  Expr y = x;
  for (int i = 1; i <= n; ++i) y = y + x * (i * 0.75);
  const NodeId forward = g.size();
  const Expr dx = grad(y, x);
  EXPECT_EQ(g.size(), forward + 1 + 2 * n);
  EXPECT_EQ(evaluate(dx).front(), 1 + 0.75 * n * (n + 1) / 2);
}

}  // namespace
}  // namespace gradus
