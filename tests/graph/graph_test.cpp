#include "gradus/graph/graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/graph/node.hpp"
#include "gradus/graph/op_of.hpp"
#include "gradus/ops.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/graphs.hpp"

namespace gradus {
namespace {

using test::error_of;
using test::op_count;
using test::op_counts;
using test::OpCounts;

Location here(const Location at = Location::current()) { return at; }

TEST(Dim, AddsAndSubtractsCoefficientsOfTheBatchAndConstants) {
  EXPECT_EQ(B + 1, Dim(1, 1));
  EXPECT_EQ(B - 1, Dim(1, -1));
  EXPECT_EQ(3 - B, Dim(-1, 3));
  EXPECT_EQ((2 * B + 3) + (B + 4), Dim(3, 7));
  EXPECT_EQ((2 * B + 3) - (2 * B + 1), Dim(2));
  EXPECT_TRUE((B - B).is_constant());
  EXPECT_NE(Dim(1), B);
}

TEST(Dim, MultipliesByNumbersOnEitherSide) {
  EXPECT_EQ(4 * (B + 2), Dim(4, 8));
  EXPECT_EQ((B + 2) * 4, Dim(4, 8));
  EXPECT_EQ(Dim(6) * 7, Dim(42));
  EXPECT_EQ(0 * B, Dim(0));
}

TEST(Dim, ProductOfTwoThatHoldTheBatchIsAnErrorNamingBoth) {
  EXPECT_EQ(error_of([] { return B * B; }),
            "B times B has no form a·B + c: only one dimension may hold the batch");
  EXPECT_EQ(error_of([] { return (2 * B + 1) * (B - 1); }),
            "2B+1 times B-1 has no form a·B + c: only one dimension may hold the batch");
}

TEST(Dim, DividesExactly) {
  EXPECT_EQ((4 * B + 2) / 2, 2 * B + 1);
  EXPECT_EQ(Dim(42) / 6, Dim(7));
  EXPECT_EQ((B + 1) / (B + 1), Dim(1));
  EXPECT_EQ((784 * B) / B, Dim(784)) << "what flattening a batch divides";
  EXPECT_EQ((4 * B + 2) / (2 * B + 1), Dim(2));
  EXPECT_EQ(0 / B, Dim(0));
}

TEST(Dim, QuotientWithoutFormIsAnErrorNamingBoth) {
  EXPECT_EQ(error_of([] { return B / 2; }), "B divided by 2 has no form a·B + c with whole numbers");
  EXPECT_EQ(error_of([] { return (4 * B + 1) / 2; }),
            "4B+1 divided by 2 has no form a·B + c with whole numbers");
  EXPECT_EQ(error_of([] { return Dim(7) / 2; }), "7 divided by 2 has no form a·B + c with whole numbers");
  EXPECT_EQ(error_of([] { return 6 / B; }), "6 divided by B has no form a·B + c with whole numbers");
  EXPECT_EQ(error_of([] { return (B + 1) / B; }), "B+1 divided by B has no form a·B + c with whole numbers");
  EXPECT_EQ(error_of([] { return B / 0; }), "B divided by 0 has no form a·B + c with whole numbers");
  EXPECT_EQ(error_of([] { return Dim(0) / 0; }), "0 divided by 0 has no form a·B + c with whole numbers");
}

TEST(Dim, ResolvesToANumberOfAtLeastTheMinimum) {
  EXPECT_EQ((3 * B + 2).resolve(5), 17);
  EXPECT_EQ(Dim(7).resolve(100), 7);
  EXPECT_EQ((B - 1).resolve(1, 0), 0);
  EXPECT_EQ(error_of([] { (B - 1).resolve(1); }), "extent B-1 is 0 for batch 1; it must be at least 1");
  EXPECT_EQ(error_of([] { (B - 4).resolve(3, 0); }), "extent B-4 is -1 for batch 3; it must be at least 0");
}

TEST(Dim, HasTheTextOfAFormula) {
  EXPECT_EQ(to_string(B), "B");
  EXPECT_EQ(to_string(2 * B + 1), "2B+1");
  EXPECT_EQ(to_string(B - 1), "B-1");
  EXPECT_EQ(to_string(3 - B), "-B+3");
  EXPECT_EQ(to_string(0 * B), "0");
  EXPECT_EQ(to_string(Dim(784)), "784");
}

TEST(Shape, CountsItsElements) {
  EXPECT_EQ(Shape{}.element_count(), Dim(1));
  EXPECT_EQ((Shape{B, 28, 28}.element_count()), 784 * B);
  EXPECT_EQ((Shape{3, B + 1}.element_count()), 3 * B + 3);
  EXPECT_EQ(error_of([] {
              return Shape{B, 2, B}.element_count();
            }),
            "2B times B has no form a·B + c: only one dimension may hold the batch");
}

TEST(Shape, ResolvesEveryExtent) {
  EXPECT_EQ((Shape{B, 3, 2 * B - 1}.resolve(4)), (Extents{4, 3, 7}));
  EXPECT_EQ((Shape{}.resolve(4)), Extents{});
  EXPECT_EQ(error_of([] {
              return Shape{2, 0}.resolve(4);
            }),
            "extent 0 is 0 for batch 4; it must be at least 1");
}

TEST(Shape, KnowsWhetherItHoldsTheBatch) {
  EXPECT_TRUE((Shape{2, 3}.is_constant()));
  EXPECT_TRUE(Shape{}.is_constant());
  EXPECT_FALSE((Shape{2, B}.is_constant()));
}

TEST(Shape, HasTheTextOfAList) {
  EXPECT_EQ(to_string(Shape{}), "[]");
  EXPECT_EQ(to_string(Shape{B, 784}), "[B, 784]");
  EXPECT_EQ(to_string(Extents{2, 3}), "[2, 3]");
}

TEST(Shape, CountsAxesFromBothEnds) {
  EXPECT_EQ(resolve_axis(0, 3), 0U);
  EXPECT_EQ(resolve_axis(-1, 3), 2U);
  EXPECT_EQ(resolve_axis(-3, 3), 0U);
  EXPECT_EQ(error_of([] { resolve_axis(3, 3); }), "there is no axis 3 in rank 3");
  EXPECT_EQ(error_of([] { resolve_axis(-4, 3); }), "there is no axis -4 in rank 3");
  EXPECT_EQ(error_of([] { resolve_axis(0, 0); }), "there is no axis 0 in rank 0");
}

TEST(HashConsing, EqualPureNodesAreOneNode) {
  Graph g;
  const Expr a = g.input("a", {2, 2});
  const Expr b = g.input("b", {2, 2});
  const Expr product = matmul(a, b, {true, false});
  const NodeId size = g.size();
  EXPECT_TRUE((matmul(a, b, {true, false}).same_as(product)));
  EXPECT_EQ(g.size(), size);
  EXPECT_FALSE((matmul(a, b, {false, true}).same_as(product))) << "another attribute, another node";
  EXPECT_FALSE((matmul(b, a, {true, false}).same_as(product))) << "another order, another node";
}

TEST(HashConsing, CommutativeOpsMergeInEitherOrderAndOthersDoNot) {
  Graph g;
  const Expr a = g.input("a", {2});
  const Expr b = g.input("b", {2});
  EXPECT_TRUE((a + b).same_as(b + a));
  EXPECT_TRUE((a * b).same_as(b * a));
  EXPECT_TRUE(maximum(a, b).same_as(maximum(b, a)));
  EXPECT_FALSE((a - b).same_as(b - a));
  EXPECT_FALSE((a / b).same_as(b / a));
}

TEST(HashConsing, ConstantsAreComparedBitForBit) {
  Graph g;
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(g.full({2}, nan).same_as(g.full({2}, nan)));
  EXPECT_FALSE(g.full({2}, 0.0).same_as(g.full({2}, -0.0)));
  EXPECT_FALSE(g.full({2}, 1.0).same_as(g.full({3}, 1.0)));
  EXPECT_FALSE(g.full({2}, B).same_as(g.full({2}, 1.0)));
  EXPECT_TRUE(g.full({2}, Dim(3)).same_as(g.full({2}, 3.0))) << "a constant extent is a number";
  EXPECT_TRUE(g.constant({2}, {1, nan}).same_as(g.constant({2}, {1, nan})));
  EXPECT_FALSE(g.constant({2}, {1, 0.0}).same_as(g.constant({2}, {1, -0.0})));
  EXPECT_FALSE(g.constant({2, 1}, {1, 2}).same_as(g.constant({1, 2}, {1, 2})));
}

TEST(HashConsing, InputsAndVariablesOfOneShapeStayTwo) {
  Graph g;
  EXPECT_FALSE(g.input("a", {2}).same_as(g.input("b", {2})));
  EXPECT_FALSE(g.state("c", {2}).same_as(g.parameter("d", {2})));
}

// Two draws of a random number are two numbers.
class Draw final : public OpOf<Draw> {
 public:
  static constexpr std::string_view name = "draw";
  explicit Draw(bool is_impure) : impure(is_impure) {}
  Traits traits() const override { return {.impure = impure}; }
  Shape infer(InputShapes inputs) const { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp& v) const override { return no_gradient(v); }

  bool impure;
};

TEST(HashConsing, ImpureNodesAreNeverMerged) {
  Graph g;
  const Expr x = g.input("x", {2});
  EXPECT_TRUE(test::apply(Draw(false), {x}).same_as(test::apply(Draw(false), {x})));
  EXPECT_FALSE(test::apply(Draw(true), {x}).same_as(test::apply(Draw(true), {x})));
}

TEST(Names, AreFoundAgain) {
  Graph g;
  const Expr x = g.input("x", {B});
  const Expr w = g.parameter("w", {2});
  EXPECT_TRUE(g.find("x").same_as(x));
  EXPECT_TRUE(g.find("w").same_as(w));
}

TEST(Names, TheFirstStaysAndDescribesTheNode) {
  Graph g;
  const Expr x = g.input("x", {B, 4});
  const Expr y = tanh(x);
  EXPECT_EQ(g.describe(x.id()), "x [B, 4]");
  EXPECT_EQ(g.describe(y.id()), "tanh#1 [B, 4]");
  EXPECT_TRUE(named(y, "hidden").same_as(y));
  EXPECT_EQ(g.describe(y.id()), "hidden [B, 4]");
  g.name(y, "other");
  EXPECT_EQ(g.describe(y.id()), "hidden [B, 4]");
}

TEST(Names, ParametersComeInTheOrderOfCreationWithoutState) {
  Graph g;
  const Expr w = g.parameter("w", {2});
  g.state("slot", {2});
  const Expr a = g.parameter("a", {2});
  const auto parameters = g.parameters();
  ASSERT_EQ(parameters.size(), 2U);
  EXPECT_TRUE(parameters[0].same_as(w));
  EXPECT_TRUE(parameters[1].same_as(a));
}

TEST(Locations, ANodeCarriesTheLineOnWhichItWasWritten) {
  Graph g;
  const Expr x = g.input("x", {B});
  const auto line = [&](const Expr& e) { return static_cast<int>(g[e.id()].where.line); };
  const auto now = [](const Location at = Location::current()) { return static_cast<int>(at.line); };
  const int first = now();
  const Expr a = 2 * x;
  const Expr b = x - 1;
  const Expr c = -(a + b);
  const Expr d = sum(c);
  EXPECT_THAT((std::vector{line(a), line(b), line(c), line(d)}),
              testing::ElementsAre(first + 1, first + 2, first + 3, first + 4));
  EXPECT_EQ(to_string(g[a.id()].where), "graph_test.cpp:" + std::to_string(first + 1));
}

// A builder of several nodes, like a layer: its nodes carry the line of its caller.
Expr layer(const Expr& x, const std::string& name, const Location at) {
  Graph& g = x.graph();
  const Graph::Scope scope(g, at);
  const Expr w = g.parameter(name + ".w", {x.shape().back(), 3});
  return tanh(matmul(x, w));
}

TEST(Locations, AScopeGivesItsOwnLineAndTheOutermostWins) {
  Graph g;
  const Expr x = g.input("x", {B, 2});
  const Location caller = here();
  Expr y;
  {
    const Graph::Scope outer(g, caller);
    y = layer(x, "inner", Location::current());
  }
  for (NodeId id = 1; id <= y.id(); ++id)
    EXPECT_EQ(to_string(g[id].where), to_string(caller)) << g.describe(id);
  const Expr after = exp(y);
  EXPECT_NE(to_string(g[after.id()].where), to_string(caller)) << "the scope has ended";
}

TEST(Locations, AScopeEndsWithAnException) {
  Graph g;
  const Expr x = g.input("x", {B, 2});
  const Location caller = here();
  EXPECT_THROW(
      {
        const Graph::Scope scope(g, caller);
        matmul(x, x);
      },
      Error);
  EXPECT_NE(to_string(g[exp(x).id()].where), to_string(caller));
}

TEST(Locations, NodesOfTheGradientCarryTheLineOfTheForwardNode) {
  Graph g;
  const Expr x = g.input("x", {B, 2});
  const Expr w = g.parameter("w", {2, 3});
  const Location forward = here();
  const Expr loss = mean(softplus(matmul(x, w) * 2));
  const NodeId first = g.size();
  grad(loss, w);
  ASSERT_GT(g.size(), first + 3);
  // The seed 1 is nobody's.
  for (NodeId id = first; id < g.size(); ++id) {
    const bool is_seed = g[id].full() != nullptr && g[id].shape.rank() == 0;
    if (is_seed) continue;
    EXPECT_EQ(g[id].where.line, forward.line + 1) << g.describe(id);
  }
}

TEST(Literals, AreNumbersOfAnyArithmeticType) {
  EXPECT_EQ(Expr(true).literal(), 1.0);
  EXPECT_EQ(Expr(2.5F).literal(), 2.5);
  EXPECT_EQ(Expr(static_cast<unsigned char>(7)).literal(), 7.0);
  EXPECT_EQ(Expr(-3L).literal(), -3.0);
  EXPECT_TRUE(Expr(2).is_literal());
  EXPECT_FALSE(Expr(2).is_null());
  EXPECT_TRUE(Expr().is_null());
  EXPECT_TRUE(Expr(2).same_as(2.0));
  EXPECT_FALSE(Expr(2).same_as(3));
  EXPECT_FALSE(Expr(2).same_as(Expr()));
}

TEST(Literals, AloneAreComputedByTheRuleOfTheOp) {
  const Expr y = tanh(Expr(0.5)) * 2 + 1;
  ASSERT_TRUE(y.is_literal());
  EXPECT_EQ(y.literal(), std::tanh(0.5) * 2 + 1);
}

TEST(Literals, TakeTheShapeOfTheOtherOperand) {
  Graph g;
  const Expr x = g.input("x", {B, 4});
  const Expr y = 1 / x;
  EXPECT_EQ(y.shape(), (Shape{B, 4}));
  EXPECT_EQ(op_counts(g), (OpCounts{{"input", 1}, {"full", 1}, {"div", 1}}));
  EXPECT_EQ(g[g[y.id()].inputs[0]].shape, (Shape{B, 4}));
}

TEST(Reshape, FindsTheExtentThatIsLeft) {
  Graph g;
  const Expr x = g.input("x", {B, 3, 4});
  EXPECT_EQ(reshape(x, {-1, 4}).shape(), (Shape{3 * B, 4}));
  EXPECT_EQ(reshape(x, {-1}).shape(), (Shape{12 * B}));
  EXPECT_EQ(reshape(x, {2, -1, 2}).shape(), (Shape{2, 3 * B, 2}));
  EXPECT_EQ(reshape(x, {B, -1}).shape(), (Shape{B, 12}));
  EXPECT_EQ(reshape(x, {B, 6, 2}).shape(), (Shape{B, 6, 2}));
}

TEST(Reshape, AddsAndDropsExtentsOfOneBesideTwoThatHoldTheBatch) {
  Graph g;
  const Expr x = g.input("x", {B + 1, 1}), y = g.input("y", {1, B});
  // An operator would take the two batch axes for a mistake.
  const Expr table = broadcast_to(x, {B + 1, B}) + broadcast_to(y, {B + 1, B});
  EXPECT_EQ(reshape(table, {B + 1, 1, B}).shape(), (Shape{B + 1, 1, B}));
  EXPECT_EQ(grad(sum(square(table)), x).shape(), x.shape());
  EXPECT_THROW(reshape(table, {B, B + 1}), Error);
}

TEST(Reshape, ToTheSameShapeIsTheSameNode) {
  Graph g;
  const Expr x = g.input("x", {B, 3});
  EXPECT_TRUE(reshape(x, {B, -1}).same_as(x));
  EXPECT_EQ(g.size(), 1);
}

TEST(Reshape, FlattenMakesOneRowPerSample) {
  Graph g;
  EXPECT_EQ(flatten(g.input("image", {B, 28, 28})).shape(), (Shape{B, 784}));
  EXPECT_EQ(flatten(g.input("constant", {3, 4, 5})).shape(), (Shape{3, 20}));
  EXPECT_EQ(flatten(g.input("more", {B + 1, 2, 2})).shape(), (Shape{B + 1, 4}));
  EXPECT_EQ(flatten(g.input("vector", {B})).shape(), (Shape{B, 1}));
}

TEST(Broadcasting, TakesOneForAnyExtentButTheBatchForNothingElse) {
  Graph g;
  const Expr column = g.input("column", {B, 1});
  const Expr row = g.input("row", {1, 4});
  EXPECT_EQ((column + row).shape(), (Shape{B, 4}));
  EXPECT_EQ(op_count(g, "broadcast_to"), 2);
  EXPECT_EQ((row * g.input("x", {B, 4})).shape(), (Shape{B, 4}));
  EXPECT_EQ((g.input("scalar", {}) * row).shape(), (Shape{1, 4}));
}

TEST(BatchInShapes, JoinsAndCuts) {
  Graph g;
  const Expr x = g.input("x", {B, 4});
  EXPECT_EQ(concat({g.input("row", {1, 4}), x}, 0).shape(), (Shape{B + 1, 4}));
  EXPECT_EQ(concat({x, x}, 0).shape(), (Shape{2 * B, 4}));
  EXPECT_EQ(slice(x, 0, 1, B).shape(), (Shape{B - 1, 4}));
  EXPECT_EQ(slice(x, -1, 1, 3).shape(), (Shape{B, 2}));
  EXPECT_EQ(matmul(x, x, {false, true}).shape(), (Shape{B, B}));
}

}  // namespace
}  // namespace gradus
