// The plan says which ops are fused with which; that they compute the right numbers is tile_test's business.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "framework/compile/compile.hpp"
#include "framework/compile/fuse.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/base/random.hpp"
#include "gradus/custom_op.hpp"
#include "gradus/graph/node.hpp"
#include "gradus/ops.hpp"
#include "gradus/runtime/executable.hpp"

namespace gradus {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

constexpr auto op = Step::Kind::op;
constexpr auto group = Step::Kind::fused;

Plan plan_of(const std::vector<Expr>& outputs, std::int64_t batch = 3, bool fuse = true) {
  return make_plan(outputs, {}, {.dims = batch, .optimize = fuse, .verify = true});
}

std::vector<Step::Kind> kinds(const Plan& plan) {
  std::vector<Step::Kind> found;
  for (const Step& step : plan.steps) found.push_back(step.kind);
  return found;
}

// The ops that a step runs.
std::vector<std::string> ops_of(const Plan& plan, const Step& step) {
  std::vector<std::string> names;
  for (const NodeId id : step.nodes) names.emplace_back(plan.node(id).name());
  return names;
}

// How the step reads the leaf of this name.
const Operand* operand_of(const Plan& plan, const Step& step, std::string_view label) {
  for (const Operand& operand : step.operands)
    if (plan.node(operand.node).label == label) return &operand;
  return nullptr;
}

// As the compiler makes the output of an op in panels.
std::size_t panel_bytes_of(const Expr& product) {
  return panel_bytes(*op_of(product), kernel_shapes(product.graph(), product.id(), DimBindings(1)));
}

class Fusion : public testing::Test {
 protected:
  Graph g;
  const Expr x = g.input("x", {B, 8});
  const Expr w = g.parameter("w", {8, 8});
};

TEST_F(Fusion, AChainIsOneStepWithOneResult) {
  const Plan plan = plan_of({tanh(exp(x) * 2 + 1)});
  ASSERT_THAT(kinds(plan), ElementsAre(group));
  EXPECT_THAT(ops_of(plan, plan.steps[0]), ElementsAre("exp", "mul", "add", "tanh"));
  EXPECT_EQ(plan.steps[0].results.size(), 1U);
}

TEST_F(Fusion, AnOperandIsListedOnce) {
  const Expr row = g.parameter("row", {8});
  const Plan plan = plan_of({tanh(x) * x + x * row - row});
  ASSERT_THAT(kinds(plan), ElementsAre(group));
  EXPECT_EQ(plan.steps[0].operands.size(), 2U);
}

// Also when it is the first step.
TEST_F(Fusion, AnUpdateIsWrittenIntoItsVariable) {
  const Update update{w, w * 0.5};
  const Plan plan = make_plan({}, {&update, 1}, {.dims = 3, .verify = true});
  EXPECT_THAT(kinds(plan), ElementsAre(group));
  EXPECT_EQ(plan.arena_bytes, 0U);
}

TEST_F(Fusion, CanBeSwitchedOff) {
  const Plan plan = plan_of({tanh(exp(x) * 2 + 1)}, 3, false);
  EXPECT_THAT(kinds(plan), ElementsAre(group, group, group, group));
  EXPECT_THAT(kinds(plan_of({tanh(matmul(x, w))}, 3, false)), ElementsAre(op, group));
}

TEST_F(Fusion, NumbersHaveNoBuffer) {
  const Plan plan = plan_of({tanh(exp(x) * 2 + 1)});
  int numbers = 0;
  for (const Operand& operand : plan.steps[0].operands)
    if (plan.node(operand.node).is_number()) {
      EXPECT_LT(operand.buffer, 0);
      ++numbers;
    }
  EXPECT_EQ(numbers, 2);
  for (const Buffer& value : plan.buffers) EXPECT_NE(value.space, Buffer::Space::constant);
}

TEST_F(Fusion, ADiamondIsOneStep) {
  const Expr top = exp(x);
  const Plan plan = plan_of({tanh(top) * sigmoid(top) + top});
  ASSERT_THAT(kinds(plan), ElementsAre(group));
  EXPECT_EQ(plan.steps[0].nodes.size(), 5U);
  EXPECT_EQ(plan.steps[0].operands.size(), 1U) << "x is read once";
}

TEST_F(Fusion, AnOutputOnTheWayIsStoredByTheSameStep) {
  const Expr middle = exp(x);
  const Plan plan = plan_of({middle, tanh(middle)});
  ASSERT_THAT(kinds(plan), ElementsAre(group));
  EXPECT_EQ(plan.steps[0].results.size(), 2U);
}

TEST_F(Fusion, TwoReadersThatDoNotMeetAreTwoSteps) {
  const Expr middle = exp(x);
  const Plan plan = plan_of({tanh(middle), sigmoid(middle)});
  EXPECT_THAT(kinds(plan), ElementsAre(group, group, group));
}

TEST_F(Fusion, OtherOpsSeparateGroups) {
  const Plan plan = plan_of({tanh(softmax(exp(x * x)) + 1)});
  ASSERT_THAT(kinds(plan), ElementsAre(group, op, group));
  EXPECT_THAT(ops_of(plan, plan.steps[0]), ElementsAre("mul", "exp"));
  EXPECT_THAT(ops_of(plan, plan.steps[1]), ElementsAre("softmax"));
  EXPECT_THAT(ops_of(plan, plan.steps[2]), ElementsAre("add", "tanh"));
}

TEST_F(Fusion, AProductIsTakenInByTheGroupThatAloneReadsIt) {
  const Plan plan = plan_of({tanh(matmul(exp(x), w) + 1)});
  ASSERT_THAT(kinds(plan), ElementsAre(group, group));
  EXPECT_THAT(ops_of(plan, plan.steps[1]), ElementsAre("matmul", "add", "tanh"));
  EXPECT_EQ(plan.steps[1].producer_operands, 2U);
}

TEST_F(Fusion, AProductOfOneNumberIsTakenInToo) {
  Graph small;
  const Expr a = small.input("a", {B, 2}), b = small.parameter("b", {2, 1});
  EXPECT_THAT(kinds(plan_of({tanh(matmul(a, b))}, 1)), ElementsAre(group));
}

// BLAS makes it, at once; it is taken in where it fills one panel.
TEST_F(Fusion, AProductThatDoesNotComeByRowsIsTakenInIfItIsSmall) {
  constexpr std::int64_t columns = 256;
  Graph deep;
  const Expr a = deep.input("a", {B, 1100}), b = deep.parameter("b", {1100, columns});
  const Expr product = matmul(a, b);
  const auto rows = static_cast<std::int64_t>(panel_bytes_of(product) / sizeof(float)) / columns;
  if (op_of(product)->rows_are_cheap({{{rows, 1100}, {1100, columns}}, {{rows, columns}}, {}},
                                     DType::float32))
    GTEST_SKIP() << "all products come by rows here, as OpenBLAS does not know this CPU";
  EXPECT_THAT(kinds(plan_of({tanh(matmul(a, b))}, rows)), ElementsAre(group));
  EXPECT_THAT(kinds(plan_of({tanh(matmul(a, b))}, rows + 1)), ElementsAre(op, group));
}

TEST_F(Fusion, OfTwoEqualProductsTheFirstIsTakenIn) {
  const Expr first = matmul(x, w), second = matmul(tanh(x), w);
  const Plan plan = plan_of({first * 2 + second});
  ASSERT_THAT(kinds(plan), UnorderedElementsAre(group, op, group));
  const Step& taker = plan.steps.back();
  ASSERT_EQ(taker.producer_operands, 2U);
  EXPECT_NE(operand_of(plan, taker, "x"), nullptr);
}

TEST_F(Fusion, AProductThatIsReadElsewhereIsStored) {
  const Expr product = matmul(x, w);
  EXPECT_THAT(kinds(plan_of({tanh(product), product})), ElementsAre(op, group)) << "an output";
  EXPECT_THAT(kinds(plan_of({tanh(product), softmax(product)})), UnorderedElementsAre(op, op, group));
  EXPECT_THAT(kinds(plan_of({product * sum(product)})), UnorderedElementsAre(op, op, group))
      << "and comes back";
  EXPECT_THAT(kinds(plan_of({tanh(transpose(product))})), UnorderedElementsAre(op, op, group));
}

// There are more rows than one panel holds: the last has fewer.
TEST_F(Fusion, PanelsOfAProductAreTheProduct) {
  Graph big;
  const Expr a = big.input("a", {B, 30}), b = big.input("b", {30, 200}), row = big.input("row", {200}),
             column = big.input("column", {B, 1});
  const Expr product = matmul(a, b);
  Store<float> store;
  auto fused = compile<float>({relu(product * column + row)}, {}, 301, store);
  auto stored = compile<float>({product}, {}, 301, store);
  gradus::Random random(3);
  std::vector<float> rows(200), columns(301);
  for (float& v : rows) v = static_cast<float>(random.uniform(-1, 1));
  for (float& v : columns) v = static_cast<float>(random.uniform(-1, 1));
  for (auto* program : {&fused, &stored})
    for (const char* name : {"a", "b"})
      for (float& v : program->buffer(big.find(name))) v = static_cast<float>(random.uniform(-1, 1));
  for (const char* name : {"a", "b"})
    std::ranges::copy(fused.buffer(big.find(name)), stored.buffer(big.find(name)).begin());
  fused.feed(row, rows);
  fused.feed(column, columns);
  ASSERT_EQ(fused.plan().steps.size(), 1U);
  ASSERT_GT(fused.output().values.size() * sizeof(float), 2 * panel_bytes_of(product));
  fused.run();
  stored.run();
  for (std::size_t i = 0; i < fused.output().values.size(); ++i) {
    const float expected = stored.output().values[i] * columns[i / 200] + rows[i % 200];
    ASSERT_FLOAT_EQ(fused.output().values[i], std::max(expected, 0.0F)) << i;
  }
}

// Each row in reverse, by way of the workspace.
class Reversed final : public OpOf<Reversed> {
 public:
  static constexpr std::string_view name = "reversed";
  Traits traits() const override { return {.by_rows = true}; }
  Shape infer(InputShapes inputs) const { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp& v) const override { return {build<Reversed>({v.cotangent})}; }
  std::size_t workspace_bytes(const KernelShapes& shapes, DType dtype) const override {
    return static_cast<std::size_t>(shapes.output().back()) * bytes_of(dtype);
  }
  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    return [n = shapes.output().back()](const KernelArgs<T>& args) {
      T* row = reinterpret_cast<T*>(args.workspace);
      for (std::int64_t r = args.from; r < args.to; ++r) {
        std::reverse_copy(args.input() + r * n, args.input() + (r + 1) * n, row);
        std::copy(row, row + n, args.output() + (r - args.from) * n);
      }
    };
  }
};

TEST_F(Fusion, AnOpThatIsTakenInKeepsItsWorkspace) {
  const Expr y = build<Reversed>({x}) + 1;
  const Plan plan = plan_of({y});
  ASSERT_THAT(kinds(plan), ElementsAre(group));
  EXPECT_NE(plan.steps[0].workspace, no_buffer);
  Store<float> store;
  auto program = compile<float>({y}, {}, 2, store);
  std::vector<float> values(16);
  std::iota(values.begin(), values.end(), 0.0F);
  program.feed(x, values);
  program.run();
  EXPECT_THAT(program.output().values, ElementsAre(8, 7, 6, 5, 4, 3, 2, 1, 16, 15, 14, 13, 12, 11, 10, 9));
}

TEST_F(Fusion, APathThatLeavesAndComesBackIsNotFused) {
  const Expr top = exp(x);
  const Plan plan = plan_of({top + softmax(top)});
  ASSERT_THAT(kinds(plan), ElementsAre(group, op, group));
  EXPECT_THAT(ops_of(plan, plan.steps[2]), ElementsAre("add"));
}

TEST_F(Fusion, BiasAndActivationReadTheBiasAsARow) {
  const Expr bias = g.parameter("bias", {8});
  const Plan plan = plan_of({relu(matmul(x, w) + bias)});
  ASSERT_THAT(kinds(plan), ElementsAre(group)) << "no broadcast is carried out";
  const Operand* operand = operand_of(plan, plan.steps[0], "bias");
  ASSERT_NE(operand, nullptr);
  EXPECT_EQ(operand->access, Access::row);
  EXPECT_EQ(operand->period, 8);
}

TEST_F(Fusion, AColumnIsReadAsAColumn) {
  const Expr column = g.input("column", {B, 1});
  const Plan plan = plan_of({tanh(x * column)});
  ASSERT_THAT(kinds(plan), ElementsAre(group));
  const Operand* operand = operand_of(plan, plan.steps[0], "column");
  ASSERT_NE(operand, nullptr);
  EXPECT_EQ(operand->access, Access::column);
  EXPECT_EQ(operand->period, 8);
}

TEST_F(Fusion, AScalarStateIsReadAsAScalar) {
  const Expr rate = g.state("rate", {});
  const Plan plan = plan_of({w - rate * tanh(w)});
  ASSERT_THAT(kinds(plan), ElementsAre(group));
  const Operand* operand = operand_of(plan, plan.steps[0], "rate");
  ASSERT_NE(operand, nullptr);
  EXPECT_EQ(operand->access, Access::scalar);
  EXPECT_GE(operand->buffer, 0);
}

TEST(BroadcastAccess, IsTheSimplestThatReadsTheShape) {
  const auto is = [](const Extents& shape, const Extents& target, Access access, std::int64_t period) {
    const auto found = broadcast_access(shape, target);
    return found && found->access == access && found->period == period;
  };
  EXPECT_TRUE(is({2, 3}, {2, 3}, Access::full, 1));
  EXPECT_TRUE(is({6}, {1, 6}, Access::full, 1));
  EXPECT_TRUE(is({1, 1}, {1, 1}, Access::full, 1));
  EXPECT_TRUE(is({}, {2, 3}, Access::scalar, 1));
  EXPECT_TRUE(is({1, 1}, {2, 3}, Access::scalar, 1));
  EXPECT_TRUE(is({3}, {2, 3}, Access::row, 3));
  EXPECT_TRUE(is({1, 2, 3}, {4, 2, 3}, Access::row, 6));
  EXPECT_TRUE(is({2, 1}, {2, 3}, Access::column, 3));
  EXPECT_TRUE(is({2, 1}, {1, 2, 3}, Access::column, 3));
  EXPECT_TRUE(is({2, 1, 1}, {2, 3, 4}, Access::column, 12));
  EXPECT_FALSE(broadcast_access({2, 1, 3}, {2, 4, 3}));
  EXPECT_FALSE(broadcast_access({2, 1}, {4, 2, 3}));
  EXPECT_FALSE(
      broadcast_access({1, 2, 1, 4}, {4, 2, 3, 4}));  // 4 · 2 elements, but not those of 4 · 2 columns
}

TEST_F(Fusion, EveryElementOfAWholeOperandIsReadInFull) {
  const Plan plan = plan_of({x * g.input("y", {B, 8})});
  ASSERT_THAT(kinds(plan), ElementsAre(group));
  for (const Operand& operand : plan.steps[0].operands) EXPECT_EQ(operand.access, Access::full);
}

TEST_F(Fusion, ABroadcastInTheMiddleIsCarriedOut) {
  const Expr block = g.input("block", {B, 2, 3});
  const Plan plan = plan_of({tanh(block * g.input("middle", {B, 1, 3}))});
  ASSERT_THAT(kinds(plan), ElementsAre(op, group)) << "neither row nor column";
  EXPECT_THAT(ops_of(plan, plan.steps[0]), ElementsAre("broadcast_to"));
}

TEST_F(Fusion, WhatIsBroadcastIsNotComputedByTheGroupThatReadsIt) {
  const Expr bias = g.parameter("bias", {8});
  const Plan plan = plan_of({x + exp(bias)});
  ASSERT_THAT(kinds(plan), ElementsAre(group, group)) << "exp of 8 numbers, not of 24";
  EXPECT_EQ(plan.buffer(plan.steps[0].results[0].buffer).extents, (Extents{8}));
}

// A result that lies where an operand lies is deferred only if that is read after it.
TEST_F(Fusion, AResultIsWrittenAtOnceIfItsPlaceIsNotReadLater) {
  const auto is_deferred = [](std::string_view label, const std::vector<Expr>& outputs,
                              const std::vector<Update>& updates) {
    const Plan plan = make_plan(outputs, updates, {.dims = 3, .verify = true});
    for (const auto& result : plan.steps.back().results)
      if (plan.node(result.node).label == label) return result.deferred;
    throw Error("there is no such result");
  };
  const Expr half = named(w * 0.5, "half");
  EXPECT_FALSE(is_deferred("half", {exp(half)}, {{w, half}}));
  EXPECT_TRUE(is_deferred("half", {exp(half) + w}, {{w, half}}));
  const Expr shares = softmax(x), grown = named(exp(shares), "grown");
  EXPECT_TRUE(is_deferred("grown", {grown, grown + shares}, {}));
  EXPECT_FALSE(is_deferred("grown", {shares, grown, grown + shares}, {})) << "each has a place of its own";
}

TEST_F(Fusion, AGroupHasAtMostSixtyFourNodes) {
  Expr y = x;
  for (int i = 0; i < 200; ++i) y = tanh(y);
  const Plan plan = plan_of({y});
  std::vector<std::size_t> sizes;
  for (const Step& step : plan.steps) sizes.push_back(step.nodes.size());
  EXPECT_THAT(sizes, UnorderedElementsAre(8, 64, 64, 64));
}

TEST_F(Fusion, ASgdStepOfALayerCopiesNothing) {
  // The product, bias, tanh and the loss's gradient are one group, and so is each update, that of w with its
  // product.
  const Expr bias = g.parameter("bias", {8});
  const Expr loss = half_squared_error(tanh(matmul(x, w) + bias), g.input("t", {B, 8}));
  const auto gradients = grad(loss, std::vector{w, bias});
  const std::vector<Update> updates{{w, w - 0.1 * gradients[0]}, {bias, bias - 0.1 * gradients[1]}};
  const Plan plan = make_plan({}, updates, {.dims = 3, .verify = true});
  EXPECT_THAT(kinds(plan), UnorderedElementsAre(group, group, op, group));
  for (const Step& step : plan.steps) EXPECT_NE(step.kind, Step::Kind::copy);
}

}  // namespace
}  // namespace gradus
