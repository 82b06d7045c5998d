#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "framework/compile/plan.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/custom_op.hpp"
#include "gradus/graph/node.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/numbers.hpp"

namespace gradus {
namespace {

using test::evaluate;
using test::OpCounts;
using test::some_values;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// The ops that are left of a graph after the passes, for a batch of 3.
OpCounts optimized(const std::vector<Expr>& outputs, std::int64_t batch = 3) {
  Store<double> store;
  return test::op_counts(compile<double>(std::span(outputs), {}, batch, store));
}
OpCounts optimized(const Expr& output, std::int64_t batch = 3) {
  return optimized(std::vector{output}, batch);
}

class Pass : public testing::Test {
 protected:
  Graph g;
  const Expr x = g.input("x", {B, 4});
  const Expr y = g.input("y", {B, 4});
  const OpCounts only_x{{"input", 1}};
};

TEST_F(Pass, IdentitiesVanish) {
  EXPECT_EQ(optimized(x + 0), only_x);
  EXPECT_EQ(optimized(0 + x), only_x);
  EXPECT_EQ(optimized(x - 0), only_x);
  EXPECT_EQ(optimized(x * 1), only_x);
  EXPECT_EQ(optimized(1 * x), only_x);
  EXPECT_EQ(optimized(x / 1), only_x);
  EXPECT_EQ(optimized(-(-x)), only_x);
  EXPECT_EQ(optimized(-(-(-(-((x + 0) * 1))))), only_x);
}

TEST_F(Pass, IdentitiesVanishOnEitherSideWhateverWasWrittenFirst) {
  // Commutative operands stand in the order of their creation.
  const Expr zero = g.full({B, 4}, 0.0), one = g.full({B, 4}, 1.0), later = g.input("later", {B, 4});
  EXPECT_EQ(optimized({zero + later, later + zero, one * later, later * one}), only_x);
}

TEST_F(Pass, WhatOnlyLooksLikeAnIdentityStays) {
  EXPECT_EQ(optimized(0 - x), (OpCounts{{"input", 1}, {"full", 1}, {"sub", 1}}));
  EXPECT_EQ(optimized(1 / x), (OpCounts{{"input", 1}, {"full", 1}, {"div", 1}}));
  EXPECT_EQ(optimized(x - 1), (OpCounts{{"input", 1}, {"full", 1}, {"sub", 1}}));
  EXPECT_EQ(optimized(x + 1), (OpCounts{{"input", 1}, {"full", 1}, {"add", 1}}));
  EXPECT_EQ(optimized(-x), (OpCounts{{"input", 1}, {"neg", 1}}));
}

TEST_F(Pass, AnIdentityThatWidensItsOperandStaysWide) {
  const Expr row = g.input("row", {4});
  Store<double> store;
  auto executable = compile<double>({row + g.full({B, 4}, 0.0)}, {}, 2, store);
  executable.feed(row, {1, 2, 3, 4});
  executable.run();
  EXPECT_THAT(executable.output().values, testing::ElementsAre(1, 2, 3, 4, 1, 2, 3, 4));
  EXPECT_EQ(executable.output().extents, (Extents{2, 4}));
}

TEST_F(Pass, ProductsWithZeroStayBecauseOfNan) {
  EXPECT_EQ(optimized(x * 0), (OpCounts{{"input", 1}, {"full", 1}, {"mul", 1}}));
  EXPECT_EQ(optimized(0 / x), (OpCounts{{"input", 1}, {"full", 1}, {"div", 1}}));
  EXPECT_EQ(optimized(x - x), (OpCounts{{"input", 1}, {"sub", 1}}));
  const auto values = evaluate(x * 0, {{x, {nan, infinity, 2, 0}}});
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_TRUE(std::isnan(values[1]));
  EXPECT_EQ(values[2], 0);
}

TEST_F(Pass, ViewsOfViewsAreOneViewOrNone) {
  EXPECT_EQ(optimized(reshape(reshape(x, {2 * B, 2}), {4 * B})), (OpCounts{{"input", 1}, {"reshape", 1}}));
  EXPECT_EQ(optimized(reshape(reshape(x, {2 * B, 2}), {B, 4})), only_x);
  EXPECT_EQ(optimized(reshape(reshape(reshape(x, {4 * B}), {2 * B, 2}), {B, 2, 2})),
            (OpCounts{{"input", 1}, {"reshape", 1}}));
  EXPECT_EQ(optimized(stop_gradient(x)), only_x);
  EXPECT_EQ(optimized(reshape(stop_gradient(reshape(x, {4 * B})), {B, 4})), only_x);
}

TEST_F(Pass, AStoppedViewKeepsItsShape) {
  // Both are views of x; only their shapes differ.
  const Expr flat = stop_gradient(reshape(x, {4 * B}));
  Store<double> store;
  auto executable = compile<double>({stop_gradient(x), flat}, {}, 2, store);
  executable.feed(x, some_values(8));
  executable.run();
  EXPECT_EQ(executable.output(0).extents, (Extents{2, 4}));
  EXPECT_EQ(executable.output(1).extents, (Extents{8}));
}

TEST_F(Pass, TransposesOfConstantsAndBroadcastsOfNumbersAreConstants) {
  EXPECT_EQ(optimized(transpose(g.constant({2, 3}, {1, 2, 3, 4, 5, 6}))), (OpCounts{{"constant", 1}}));
  EXPECT_EQ(optimized(broadcast_to(g.full({}, 2.0), {B, 1000, 1000})), (OpCounts{{"full", 1}}));
  EXPECT_EQ(optimized(transpose(x)), (OpCounts{{"input", 1}, {"transpose", 1}}));
}

TEST_F(Pass, ConstantsAreFolded) {
  const Expr a = g.constant({2, 2}, {1, 2, 3, 4});
  const Expr b = g.constant({2, 2}, {0.5, -1, 2, 0.25});
  const Expr folded = tanh(matmul(a, b)) + sum(a * b, {0}) + 2;
  EXPECT_EQ(optimized(folded), (OpCounts{{"constant", 1}}));
  EXPECT_EQ(evaluate(folded), evaluate(folded, {}, 1, {.optimize = false}));
  EXPECT_EQ(optimized(x + sum(a)),
            (OpCounts{{"input", 1}, {"constant", 1}, {"broadcast_to", 1}, {"add", 1}}));
}

TEST_F(Pass, UniformTensorsAreFoldedWhateverTheirSize) {
  EXPECT_EQ(optimized(tanh(g.full({B, 100, 100}, 0.5)) * 2 + 1), (OpCounts{{"full", 1}}));
  Store<double> store;
  const auto executable = compile<double>({tanh(g.full({B}, 0.5)) * 2}, {}, 1, store);
  const Graph& left = *executable.plan().program.graph;
  const Full& full = *left[executable.plan().program.outputs[0]].full();
  EXPECT_EQ(full.value, std::tanh(0.5) * 2);
}

TEST_F(Pass, FoldingComputesInDoubleAndRoundsOnce) {
  // In float, 10⁸ + 1 is 10⁸.
  const Expr one = g.constant({2}, {1e8, 2e8}) + 1 - g.constant({2}, {1e8, 2e8});
  EXPECT_EQ(evaluate<float>(one), (std::vector<float>{1, 1}));
  EXPECT_EQ(evaluate<float>(one, {}, 1, {.optimize = false}), (std::vector<float>{0, 0}));
}

TEST_F(Pass, LargeConstantsAreComputedAnew) {
  EXPECT_EQ(optimized(tanh(g.constant({4096}, some_values(4096)))), (OpCounts{{"constant", 1}}));
  EXPECT_EQ(optimized(tanh(g.constant({4097}, some_values(4097)))), (OpCounts{{"constant", 1}, {"tanh", 1}}));
  EXPECT_EQ(optimized(sum(g.constant({4097}, some_values(4097)))), (OpCounts{{"constant", 1}, {"sum", 1}}));
  EXPECT_EQ(optimized(broadcast_to(g.constant({1, 2}, {1, 2}), {4096, 2})),
            (OpCounts{{"constant", 1}, {"broadcast_to", 1}}));
}

TEST_F(Pass, TheDivisorOfAMeanBecomesANumber) {
  Store<double> store;
  const auto executable = compile<double>({mean(x)}, {}, 6, store);
  const Graph& left = *executable.plan().program.graph;
  std::vector<double> numbers;
  for (NodeId id = 0; id < left.size(); ++id)
    if (const auto* full = left[id].full()) {
      EXPECT_FALSE(full->is_dim);
      numbers.push_back(full->value);
    }
  EXPECT_THAT(numbers, testing::ElementsAre(24));
  EXPECT_EQ(evaluate(mean(x), {{x, some_values(24)}}, 6),
            evaluate(mean(x), {{x, some_values(24)}}, 6, {.optimize = false}));
}

TEST_F(Pass, DividingByABatchOfOneVanishes) {
  const Expr average = mean(x, {0});
  EXPECT_EQ(optimized(average, 1), (OpCounts{{"input", 1}, {"alias", 1}}));
  EXPECT_EQ(optimized(average, 2), (OpCounts{{"input", 1}, {"sum", 1}, {"full", 1}, {"div", 1}}));
}

TEST_F(Pass, ReductionsOfOneElementEachAreViews) {
  const OpCounts view{{"input", 1}, {"alias", 1}};
  EXPECT_EQ(optimized(sum(x, {0}), 1), view);
  EXPECT_EQ(optimized(max(x, {0}), 1), view);
  EXPECT_EQ(optimized(sum(x, {0}), 3), (OpCounts{{"input", 1}, {"sum", 1}}));
  const Expr one = g.input("one", {B, 1});
  EXPECT_EQ(optimized({sum(one), sum(one, {0}), sum(one, {1})}, 1), (OpCounts{{"input", 1}, {"alias", 3}}))
      << "of the shapes [], [1] and [B]";
}

// The sum along the last axis, and the number of elements that it is of.
class SumAndCount final : public OpOf<SumAndCount> {
 public:
  static constexpr std::string_view name = "sum_and_count";
  Traits traits() const override { return {.outputs = 2, .reduction = true}; }
  std::vector<Shape> infer(InputShapes inputs) const { return {{inputs[0][0], 1}, {inputs[0][0], 1}}; }
  std::vector<Expr> vjp(const Vjp& v) const override { return no_gradient(v); }
  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    return [rows = shapes.inputs[0][0], n = shapes.inputs[0][1]](const KernelArgs<T>& args) {
      for (std::int64_t row = 0; row < rows; ++row) {
        args.output(0)[row] = std::accumulate(args.input() + row * n, args.input() + (row + 1) * n, T(0));
        args.output(1)[row] = static_cast<T>(n);
      }
    };
  }
};

TEST_F(Pass, AReductionOfSeveralOutputsIsNoView) {
  const Expr one = g.input("one", {B, 1});
  const std::vector<Expr> found = build_outputs<SumAndCount>({one});
  EXPECT_EQ(optimized(found, 1), (OpCounts{{"input", 1}, {"sum_and_count", 1}, {"output", 2}}));
  EXPECT_EQ(evaluate(found[1], {{one, {5}}}, 1), (std::vector<double>{1}));
}

TEST_F(Pass, DeadNodesAreGone) {
  const Expr dead = exp(matmul(y, y, {false, true}));
  g.parameter("unused", {1000});
  ASSERT_TRUE(dead.is_node());
  EXPECT_EQ(optimized(tanh(x)), (OpCounts{{"input", 1}, {"tanh", 1}}));
  EXPECT_EQ(test::op_counts(g)["exp"], 1) << "the user's own graph is not touched";
}

TEST_F(Pass, WhatBecomesEqualIsMerged) {
  EXPECT_EQ(optimized({(x + 0) * y, x * y, y * -(-x)}), (OpCounts{{"input", 2}, {"mul", 1}}));
}

TEST_F(Pass, NamesAndPlacesSurvive) {
  const Location place = Location::current();
  const Expr named_node = named(exp(x * y), "my exp");
  Store<double> store;
  const auto executable = compile<double>({named_node + 0}, {}, 1, store);
  const auto& program = executable.plan().program;
  const Node& node = (*program.graph)[program.outputs.front()];
  EXPECT_EQ(node.label, "my exp");
  EXPECT_EQ(node.where.line, place.line + 1);
}

// The number of times that it was asked, whatever it is given.
class Ticket final : public OpOf<Ticket> {
 public:
  static constexpr std::string_view name = "ticket";
  Traits traits() const override { return {.impure = true}; }
  Shape infer(InputShapes inputs) const { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp& v) const override { return no_gradient(v); }
  template <class T> Kernel<T> make_kernel(const KernelShapes&) const {
    return [n = T(0)](const KernelArgs<T>& args) mutable { *args.output() = ++n; };
  }
};

TEST_F(Pass, ImpureNodesAreNeitherFoldedNorMerged) {
  const Expr one = g.constant({1}, {1});
  const Expr a = test::apply(Ticket(), {one});
  const Expr b = test::apply(Ticket(), {one});
  EXPECT_EQ(optimized({a, b}), (OpCounts{{"constant", 1}, {"ticket", 2}}));
  Store<double> store;
  auto executable = compile<double>({a}, {}, 1, store);
  executable.run();
  executable.run();
  EXPECT_EQ(executable.output().item(), 2);
}

// Every value of the optimised program has the bits of the program as it was written.
void expect_same_bits(const std::vector<Expr>& outputs, const std::vector<test::Feed>& feeds,
                      std::int64_t batch) {
  Store<double> store;
  auto raw = compile<double>(std::span(outputs), {}, batch, store, {.optimize = false});
  auto fast = compile<double>(std::span(outputs), {}, batch, store);
  test::feed(raw, feeds);
  test::feed(fast, feeds);
  raw.run();
  fast.run();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    SCOPED_TRACE("output " + std::to_string(i));
    ASSERT_TRUE(test::same_bits(test::values_of(fast, i), test::values_of(raw, i)));
  }
}

TEST(OptimisedAgainstRaw, ATrainingStepsLossAndGradients) {
  Graph g;
  const Expr x = g.input("x", {B, 19}), labels = g.input("labels", {B});
  const Expr w1 = g.input("w1", {19, 33}), b1 = g.input("b1", {33}), w2 = g.input("w2", {33, 5}),
             b2 = g.input("b2", {5});
  const Expr loss = cross_entropy(matmul(tanh(matmul(x, w1) + b1), w2) + b2, labels);
  std::vector outputs = grad(loss, std::vector{w1, b1, w2, b2, x});
  outputs.push_back(loss);
  for (const std::int64_t batch : {1, 3, 17}) {
    std::vector<double> classes;
    for (std::int64_t i = 0; i < batch; ++i) classes.push_back(static_cast<double>(i % 5));
    expect_same_bits(outputs,
                     {{x, some_values(19 * batch)},
                      {labels, classes},
                      {w1, some_values(19 * 33, 0.3, 2)},
                      {b1, some_values(33, 1, 3)},
                      {w2, some_values(33 * 5, 0.5, 4)},
                      {b2, some_values(5, 1, 5)}},
                     batch);
  }
}

TEST(OptimisedAgainstRaw, ElementwiseFunctionsOfEveryKindOfOperand) {
  Graph g;
  const Expr x = g.input("x", {B, 37}), row = g.input("row", {37}), column = g.input("column", {B, 1}),
             scalar = g.input("scalar", {});
  const Expr a = softplus(x * row - column) / (2 + square(scalar));
  const Expr b = where(x > row, exp(a), relu(column) + a) * sigmoid(x) - 0.125;
  const Expr c = minimum(maximum(a, b), clip(x, -0.5, 0.5)) + sqrt(abs(x) + 0.25) + log1p(square(row));
  const std::vector outputs{a, b, c, sum(c, {0}), softmax(c), grad(sum(c * b), x), grad(mean(b), row)};
  for (const std::int64_t batch : {1, 3, 17, 100})
    expect_same_bits(outputs,
                     {{x, some_values(37 * batch, 2)},
                      {row, some_values(37, 1, 2)},
                      {column, some_values(batch, 1, 3)},
                      {scalar, {0.75}}},
                     batch);
}

TEST(OptimisedAgainstRaw, SlicesJoinsAndTransposes) {
  Graph g;
  const Expr x = g.input("x", {B, 6});
  const Expr joined = concat({x, exp(slice(x, 0, 0, 1)), tanh(x)}, 0);
  const Expr turned = transpose(reshape(joined, {2 * B + 1, 2, 3}), {2, 0, 1});
  const Expr y = max(turned * turned, {0}) + sum(turned, {0});
  for (const std::int64_t batch : {1, 3, 17})
    expect_same_bits({joined, turned, y, grad(sum(y * y), x)}, {{x, some_values(6 * batch)}}, batch);
}

}  // namespace
}  // namespace gradus
