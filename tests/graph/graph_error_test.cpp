// Every error that building a graph can report, word for word.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/ops.hpp"
#include "gradus/runtime/executable.hpp"
#include "tests/support/errors.hpp"

namespace gradus {
namespace {

using test::error_of;

// The end of an Error's message about a place that is not HERE.
std::string place_of(const Expr& expr) { return to_string(expr.graph()[expr.id()].where); }

class BuildError : public testing::Test {
 protected:
  Graph g;
  const Expr x = g.input("x", {B, 784});
  const Expr w = g.parameter("W", {783, 128});
  const Expr s = g.input("s", {2, 3});
  const Expr v = g.input("v", {6});
  const Expr scalar = g.input("scalar", {});
};

TEST_F(BuildError, MatmulOfShapesThatDoNotFit) {
  EXPECT_EQ(error_of([&] { matmul(x, w); }),
            "matmul at HERE: inner dimensions differ: x [B, 784], W [783, 128]");
  EXPECT_EQ(error_of([&] { matmul(s, s); }), "matmul at HERE: inner dimensions differ: s [2, 3], s [2, 3]");
  EXPECT_EQ(error_of([&] {
              matmul(x, x, {true, true});
            }),
            "matmul at HERE: inner dimensions differ: x [B, 784], x [B, 784]");
  EXPECT_EQ(error_of([&] { matmul(v, s); }),
            "matmul at HERE: both operands must be matrices: v [6], s [2, 3]");
}

TEST_F(BuildError, ElementwiseShapesThatCannotBeBroadcast) {
  EXPECT_EQ(error_of([&] { s + v; }), "add at HERE: shapes differ: s [2, 3], v [6]");
  EXPECT_EQ(error_of([&] { tanh(x) * w; }), "mul at HERE: shapes differ: tanh#5 [B, 784], W [783, 128]");
  EXPECT_EQ(error_of([&] { where(s, v, s); }), "where at HERE: shapes differ: s [2, 3], v [6], s [2, 3]");
}

TEST_F(BuildError, TheBatchIsNotBroadcastAgainstANumber) {
  const Expr batch = g.input("batch", {B});
  EXPECT_EQ(error_of([&] { batch + v; }), "add at HERE: shapes differ: batch [B], v [6]");
}

TEST_F(BuildError, BroadcastToAShapeThatDoesNotFit) {
  EXPECT_EQ(error_of([&] {
              broadcast_to(s, {B, 3});
            }),
            "broadcast_to at HERE: cannot be broadcast to [B, 3]: s [2, 3]");
  EXPECT_EQ(error_of([&] { broadcast_to(s, {3}); }),
            "broadcast_to at HERE: cannot be broadcast to [3]: s [2, 3]");
}

TEST_F(BuildError, ConcatOfPartsThatDoNotFit) {
  EXPECT_EQ(error_of([&] { concat({s, v}, 0); }), "concat at HERE: ranks differ: s [2, 3], v [6]");
  EXPECT_EQ(error_of([&] {
              concat({s, x}, 0);
            }),
            "concat at HERE: shapes differ outside of axis 0: s [2, 3], x [B, 784]");
  EXPECT_EQ(error_of([&] { concat({s, s}, 2); }), "concat at HERE: there is no axis 2 in rank 2: s [2, 3]");
  EXPECT_EQ(error_of([&] { concat({}, 0); }), "concat at HERE: there is nothing to join");
}

TEST_F(BuildError, SliceOutsideOfItsOperand) {
  EXPECT_EQ(error_of([&] { slice(v, 0, 1, 8); }),
            "slice at HERE: the part from 1 to 8 of axis 0 does not lie within 6: v [6]");
  EXPECT_EQ(error_of([&] { slice(x, 0, 0, 2); }),
            "slice at HERE: the part from 0 to 2 of axis 0 does not lie within B: x [B, 784]")
      << "a batch may be 1";
  EXPECT_EQ(error_of([&] { slice(v, 0, -1, 3); }),
            "slice at HERE: the part from -1 to 3 of axis 0 does not lie within 6: v [6]");
  EXPECT_EQ(error_of([&] { slice(x, 1, 0, B); }),
            "slice at HERE: the part from 0 to B of axis 1 does not lie within 784: x [B, 784]");
  EXPECT_EQ(error_of([&] { slice(v, 1, 0, 2); }), "slice at HERE: there is no axis 1 in rank 1: v [6]");
}

TEST_F(BuildError, SliceOfNothing) {
  EXPECT_EQ(error_of([&] { slice(v, 0, 4, 1); }),
            "slice at HERE: the result [-3] has an extent below 1: v [6]");
  EXPECT_EQ(error_of([&] { slice(v, 0, 4, 4); }),
            "slice at HERE: the result [0] has an extent below 1: v [6]");
}

TEST_F(BuildError, ReshapeToAnotherCount) {
  EXPECT_EQ(error_of([&] { reshape(s, {2, 2}); }), "reshape at HERE: cannot be reshaped to [2, 2]: s [2, 3]");
  EXPECT_EQ(error_of([&] { reshape(x, {784}); }), "reshape at HERE: cannot be reshaped to [784]: x [B, 784]");
  EXPECT_EQ(error_of([&] {
              reshape(s, {4, -1});
            }),
            "reshape at HERE: 6 divided by 4 has no form a·B + c with whole numbers: s [2, 3]");
  EXPECT_EQ(error_of([&] {
              reshape(g.input("odd", {B, 3}), {2, -1});
            }),
            "reshape at HERE: 3B divided by 2 has no form a·B + c with whole numbers: odd [B, 3]");
}

TEST_F(BuildError, ReshapeToExtentsBelowOne) {
  EXPECT_EQ(error_of([&] {
              reshape(v, {-1, -1});
            }),
            "reshape at HERE: the result [-6, -1] has an extent below 1: v [6]");
  EXPECT_EQ(error_of([&] {
              reshape(v, {-2, -3});
            }),
            "reshape at HERE: the result [-2, -3] has an extent below 1: v [6]");
}

TEST_F(BuildError, ReshapeThatMergesTwoBatches) {
  const Expr square = g.input("square", {B, B});
  EXPECT_EQ(error_of([&] { reshape(square, {-1}); }),
            "reshape at HERE: B times B has no form a·B + c: only one dimension may hold the batch: "
            "square [B, B]");
}

TEST_F(BuildError, FlattenOfAScalar) {
  EXPECT_EQ(error_of([&] { flatten(scalar); }), "flatten at HERE: a scalar has no rows: scalar []");
}

TEST_F(BuildError, TransposeOrderThatIsNoPermutation) {
  EXPECT_EQ(error_of([&] {
              transpose(s, {0, 0});
            }),
            "transpose at HERE: the order does not name each axis once: s [2, 3]");
  EXPECT_EQ(error_of([&] {
              transpose(s, {1, 0, 2});
            }),
            "transpose at HERE: the order does not name each axis once: s [2, 3]");
}

TEST_F(BuildError, AxisThatTheOperandLacks) {
  EXPECT_EQ(error_of([&] { sum(v, {1}); }), "sum at HERE: there is no axis 1 in rank 1: v [6]");
  EXPECT_EQ(error_of([&] { max(s, {0, -3}); }), "max at HERE: there is no axis -3 in rank 2: s [2, 3]");
  EXPECT_EQ(error_of([&] { mean(v, {1}); }), "mean at HERE: there is no axis 1 in rank 1: v [6]");
  EXPECT_EQ(error_of([&] { softmax(v, 1); }), "softmax at HERE: there is no axis 1 in rank 1: v [6]");
  EXPECT_EQ(error_of([&] { log_softmax(scalar); }),
            "log_softmax at HERE: there is no axis -1 in rank 0: scalar []");
  EXPECT_EQ(error_of([&] { logsumexp(v, -2); }), "logsumexp at HERE: there is no axis -2 in rank 1: v [6]");
}

TEST_F(BuildError, AxisGivenTwice) {
  EXPECT_EQ(error_of([&] { sum(s, {1, 1}); }), "sum at HERE: an axis is given twice: s [2, 3]");
  EXPECT_EQ(error_of([&] { max(s, {1, -1}); }), "max at HERE: an axis is given twice: s [2, 3]");
  EXPECT_EQ(error_of([&] { mean(s, {0, -2}); }), "mean at HERE: an axis is given twice: s [2, 3]");
}

TEST_F(BuildError, OperandsOfTwoGraphs) {
  Graph other;
  const Expr y = other.input("y", {6});
  EXPECT_EQ(error_of([&] { v + y; }), "add at HERE: the operands come from two graphs: v [6], y [6]");
  EXPECT_EQ(error_of([&] {
              concat({v, y}, 0);
            }),
            "concat at HERE: the operands come from two graphs: v [6], y [6]");
}

TEST_F(BuildError, NullOperand) {
  EXPECT_EQ(error_of([&] { v + Expr(); }),
            "add at HERE: an operand is empty (it stands for no gradient path): v [6], nothing");
  EXPECT_EQ(error_of([&] { matmul(Expr(), s); }),
            "matmul at HERE: an operand is empty (it stands for no gradient path): nothing, s [2, 3]");
  EXPECT_EQ(error_of([&] { Expr() * 2; }),
            "mul at HERE: at least one operand must be a node of a graph: nothing, 2");
}

TEST_F(BuildError, NumberWhereAShapeIsNeeded) {
  EXPECT_EQ(error_of([&] { matmul(s, 2); }), "matmul at HERE: a bare number has no shape here: s [2, 3], 2");
  EXPECT_EQ(error_of([&] { sum(2.5); }), "sum at HERE: at least one operand must be a node of a graph: 2.5");
}

TEST_F(BuildError, NumberOrNothingCompiledAlone) {
  Store<double> store;
  EXPECT_EQ(error_of([&] { compile<double>({Expr(3)}, {}, 1, store); }),
            "compile: at least one operand must be a node of a graph: 3");
  EXPECT_EQ(error_of([&] {
              compile<double>({v, Expr()}, {}, 1, store);
            }),
            "compile: at least one operand must be a node of a graph: nothing");
}

TEST_F(BuildError, NumberOrNothingAskedForItsShape) {
  EXPECT_EQ(error_of([] { Expr(3).shape(); }),
            "Expr at HERE: a number stands alone: it has no graph and no shape until it meets a node; use "
            "graph.full(shape, number) instead: 3");
  EXPECT_EQ(error_of([] { Expr().graph(); }),
            "Expr at HERE: an empty expression was used: it stands for no value (no gradient path): nothing");
}

TEST_F(BuildError, NamesTakenOrEmpty) {
  const std::string remedy = "; take another, or use that one's expression";
  EXPECT_EQ(error_of([&] { g.input("W", {2}); }),
            "input at HERE: the name 'W' is taken by the parameter at " + place_of(w) + remedy);
  EXPECT_EQ(error_of([&] { g.parameter("x", {2}); }),
            "parameter at HERE: the name 'x' is taken by the input at " + place_of(x) + remedy);
  EXPECT_EQ(error_of([&] { g.state("x", {2}); }),
            "state at HERE: the name 'x' is taken by the input at " + place_of(x) + remedy);
  EXPECT_EQ(error_of([&] { g.input("", {2}); }), "input at HERE: the name is empty");
  EXPECT_EQ(error_of([&] { g.parameter("", {2}); }), "parameter at HERE: the name is empty");
}

TEST_F(BuildError, VariableThatHoldsTheBatchOrNothing) {
  EXPECT_EQ(error_of([&] {
              g.parameter("p", {B, 2});
            }),
            "parameter 'p' at HERE: shape [B, 2] holds the batch; what outlives a run cannot depend on it");
  EXPECT_EQ(error_of([&] { g.state("q", {2 * B + 1}); }),
            "state 'q' at HERE: shape [2B+1] holds the batch; what outlives a run cannot depend on it");
  EXPECT_EQ(error_of([&] {
              g.state("q", {2, 0});
            }),
            "state 'q' at HERE: every extent of [2, 0] must be at least 1");
}

TEST_F(BuildError, ConstantOfAnotherCount) {
  EXPECT_EQ(error_of([&] {
              g.constant({2, 2}, {1, 2, 3});
            }),
            "constant at HERE: 3 values do not fill the shape [2, 2]");
  EXPECT_EQ(error_of([&] {
              g.constant({-2, -1}, {1, 2});
            }),
            "constant at HERE: 2 values do not fill the shape [-2, -1]");
}

TEST_F(BuildError, FindOfAnUnknownName) {
  EXPECT_EQ(error_of([&] { g.find("y"); }),
            "find at HERE: the graph has no input, parameter or state 'y'; it has: W, s, scalar, v, x");
  EXPECT_EQ(error_of([] { Graph().find("y"); }),
            "find at HERE: the graph has no input, parameter or state 'y'; it has: none");
}

TEST_F(BuildError, ClipBoundsInTheWrongOrder) {
  EXPECT_EQ(error_of([&] { clip(v, 2, 1.5); }),
            "clip at HERE: the lower bound is not at most the upper bound: v [6]");
  EXPECT_EQ(error_of([&] { clip(v, std::nan(""), 1); }),
            "clip at HERE: the lower bound is not at most the upper bound: v [6]");
}

TEST_F(BuildError, LossesOfShapesThatDoNotFit) {
  const Expr y = g.input("y", {B, 10});
  const Expr column = g.input("column", {B, 1}), flat = g.input("flat", {B});
  const Expr four = g.input("four", {4}), by_one = g.input("by_one", {4, 1});
  using Loss = Expr (*)(Arg, Arg);
  const std::pair<const char*, Loss> losses[] = {{"mse", mse},
                                                 {"half_squared_error", half_squared_error},
                                                 {"binary_cross_entropy", binary_cross_entropy},
                                                 {"logistic_loss", logistic_loss}};
  const std::string reason =
      " at HERE: the prediction and the target must have the same shape; reshape one of them: ";
  for (const auto& [name, which] : losses) {
    const Loss loss = which;
    EXPECT_EQ(error_of([&] { loss(x, y); }), name + reason + "x [B, 784], y [B, 10]");
    EXPECT_EQ(error_of([&] { loss(column, flat); }), name + reason + "column [B, 1], flat [B]");
    EXPECT_EQ(error_of([&] { loss(by_one, four); }), name + reason + "by_one [4, 1], four [4]");
    EXPECT_EQ(error_of([&] { loss(y, v); }), name + reason + "y [B, 10], v [6]");
    EXPECT_EQ(error_of([&] { loss(y, 0.5); }), "no error");
  }
  EXPECT_EQ(error_of([&] { cross_entropy(y, x); }),
            "cross_entropy at HERE: targets must have the logits' shape (one-hot) or lack the last axis "
            "(class indices): y [B, 10], x [B, 784]");
  const Expr one = g.input("one", {B, 1});
  EXPECT_EQ(error_of([&] { cross_entropy(one, one); }),
            "cross_entropy at HERE: of one class the loss is always 0; take binary_cross_entropy: one [B, "
            "1], one [B, 1]");
  EXPECT_EQ(error_of([&] { cross_entropy(scalar, scalar); }),
            "cross_entropy at HERE: the last axis of the logits must be the classes: scalar [], scalar []");
}

TEST_F(BuildError, OperatorsWhoseBroadcastWouldHaveTwoBatchAxes) {
  const Expr column = g.input("column", {B, 1}), flat = g.input("flat", {B});
  const std::string reason =
      " at HERE: broadcasting would give two batch axes, [B, B]; reshape one operand, or say broadcast_to "
      "where "
      "that is meant: ";
  EXPECT_EQ(error_of([&] { column - flat; }), "sub" + reason + "column [B, 1], flat [B]");
  EXPECT_EQ(error_of([&] { flat* column; }), "mul" + reason + "flat [B], column [B, 1]");
  EXPECT_EQ(error_of([&] { static_cast<void>(column < flat); }), "less" + reason + "column [B, 1], flat [B]");
  EXPECT_EQ(error_of([&] { where(flat, column, 0); }), "where" + reason + "flat [B], column [B, 1], 0");
  EXPECT_EQ(error_of([&] { maximum(column, flat); }), "maximum" + reason + "column [B, 1], flat [B]");
  // A table of all pairs is no accident where one operand is such a table already, or broadcast_to says it.
  const Expr pairs = matmul(column, column, {.b = true});
  EXPECT_EQ((pairs - column).shape(), (Shape{B, B}));
  EXPECT_EQ((broadcast_to(column, {B, B}) - flat).shape(), (Shape{B, B}));
}

// What is called by the standard library has no line of the user's, and takes none of the library's headers.
TEST_F(BuildError, InsideOfTheStandardLibraryHasNoLine) {
  const std::function<Expr(Expr, Expr)> product = [f = static_cast<Expr (*)(Arg, Arg)>(maximum)](
                                                      const Expr& a, const Expr& b) { return f(a, b); };
  const std::function<Expr(Expr, Expr)> bare = static_cast<Expr (*)(Arg, Arg)>(maximum);
  EXPECT_THAT(error_of([&] { product(s, v); }), testing::StartsWith("maximum at graph_error_test.cpp:"));
  EXPECT_THAT(error_of([&] { bare(s, v); }), testing::StartsWith("maximum: "));
  const std::vector<Expr> left{s, s}, right{s, v};
  std::vector<Expr> made(2);
  EXPECT_THAT(error_of([&] {
                std::transform(left.begin(), left.end(), right.begin(), made.begin(),
                               static_cast<Expr (*)(Arg, Arg)>(maximum));
              }),
              testing::StartsWith("maximum: "));
}

// Each of them looks up its place in its own way.
TEST_F(BuildError, InsideOfAScopeCarriesTheLineOfTheScope) {
  const Location caller = Location::current();
  const auto place_of_error = [&](auto f) {
    const std::string text = error_of([&] {
      const Graph::Scope scope(g, caller);
      f();
    });
    const auto from = text.find(" at ") + 4;
    return text.substr(from, text.find(": ", from) - from);
  };
  const std::string expected = to_string(caller);
  EXPECT_EQ(place_of_error([&] { matmul(x, w); }), expected);
  EXPECT_EQ(place_of_error([&] { s + v; }), expected);
  EXPECT_EQ(place_of_error([&] { sum(v, {1}); }), expected);
  EXPECT_EQ(place_of_error([&] { g.input("x", {2}); }), expected);
  EXPECT_EQ(place_of_error([&] { g.parameter("p", {B}); }), expected);
  EXPECT_EQ(place_of_error([&] { g.constant({2}, {1}); }), expected);
  EXPECT_EQ(place_of_error([&] { clip(v, 2, 1); }), expected);
  EXPECT_EQ(place_of_error([&] { mse(s, v); }), expected);
  EXPECT_EQ(place_of_error([&] { cross_entropy(x, s); }), expected);
}

}  // namespace
}  // namespace gradus
