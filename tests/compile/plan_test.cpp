// The planner puts values in places that keep rules of their own; updates have update_test, fusion has
// fusion_test.

#include "framework/compile/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "framework/base/aligned.hpp"
#include "framework/compile/compile.hpp"
#include "framework/compile/fuse.hpp"
#include "framework/compile/verify.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/custom_op.hpp"
#include "gradus/nn/initializers.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/numbers.hpp"

namespace gradus {
namespace {

using test::some_values;

Plan plan_of(const std::vector<Expr>& outputs, const std::vector<Update>& updates, std::int64_t batch,
             Reuse reuse = Reuse::full, bool optimized = true) {
  return make_plan(outputs, updates, {.dims = batch, .optimize = optimized, .reuse = reuse});
}

struct Model {
  Graph g;
  std::vector<Expr> outputs;
  std::vector<Update> updates;
  std::vector<test::Feed> feeds;
};

// A 784-128-10 step with an optimizer that keeps two slots per parameter.
void build_training_step(Model& m, std::int64_t batch, std::int64_t in = 784, std::int64_t hidden = 128) {
  Graph& g = m.g;
  const Expr x = g.input("x", {B, in}), labels = g.input("labels", {B});
  const auto parameter = [&](const std::string& name, const Shape& shape, int seed) {
    return g.parameter(name, shape, values(some_values(shape.element_count().constant(), 0.1, seed)));
  };
  const std::vector parameters{parameter("w1", {in, hidden}, 1), parameter("b1", {hidden}, 2),
                               parameter("w2", {hidden, 10}, 3), parameter("b2", {10}, 4)};
  const Expr logits = matmul(relu(matmul(x, parameters[0]) + parameters[1]), parameters[2]) + parameters[3];
  const Expr loss = cross_entropy(logits, labels);
  const auto gradients = grad(loss, parameters);
  const Expr step = g.state("step", {});
  m.updates.push_back({step, step + 1});
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Expr &w = parameters[i], &d = gradients[i];
    const Expr mean_slot = g.state("m" + std::to_string(i), w.shape());
    const Expr square_slot = g.state("v" + std::to_string(i), w.shape());
    const Expr next_mean = 0.9 * mean_slot + 0.1 * d, next_square = 0.99 * square_slot + 0.01 * square(d);
    m.updates.push_back({mean_slot, next_mean});
    m.updates.push_back({square_slot, next_square});
    m.updates.push_back({w, w - 0.01 * next_mean / (sqrt(next_square) + 1e-7) / sqrt(step + 1)});
  }
  m.outputs = {loss, logits, softmax(logits)};
  std::vector<double> classes;
  for (std::int64_t i = 0; i < batch; ++i) classes.push_back(static_cast<double>(i % 10));
  m.feeds = {{x, some_values(batch * in)}, {labels, classes}};
}

// Views, joins, several outputs, values that live long and values that nobody reads again.
void build_assortment(Model& m, std::int64_t batch) {
  const Expr x = m.g.input("x", {B, 24}), row = m.g.input("row", {24});
  const Expr a = tanh(x * row), b = softmax(a), c = exp(-b) + a;
  const Expr joined = concat({a, b, c}, 0);
  const Expr flat = reshape(joined, {B, 72});
  const Expr d = log_softmax(matmul(flat, flat, {false, true})), e = sum(d, {0}), f = max(c, {1}, true);
  const Expr state = m.g.state("state", {24});
  m.outputs = {a, d, flat, e * 2, sigmoid(c / (1 + abs(f))), state, reshape(state, {2, 12})};
  m.updates = {{state, 0.5 * state + sum(c, {0})}};
  m.feeds = {{x, some_values(24 * batch)}, {row, some_values(24, 1, 2)}};
}

TEST(Arena, NoTwoLiveValuesOverlapInATrainingStep) {
  for (const bool optimized : {true, false})
    for (const Reuse reuse : {Reuse::none, Reuse::full, Reuse::poisoned}) {
      Model m;
      build_training_step(m, 32);
      const Plan plan = plan_of(m.outputs, m.updates, 32, reuse, optimized);
      EXPECT_THAT(faults_of(plan), testing::IsEmpty()) << "optimized: " << optimized;
    }
}

TEST(Arena, NoTwoLiveValuesOverlapInAnAssortmentOfOps) {
  for (const std::int64_t batch : {1, 2, 17})
    for (const bool optimized : {true, false})
      for (const Reuse reuse : {Reuse::none, Reuse::full}) {
        Model m;
        build_assortment(m, batch);
        const Plan plan = plan_of(m.outputs, m.updates, batch, reuse, optimized);
        EXPECT_THAT(faults_of(plan), testing::IsEmpty()) << "batch " << batch << ", optimized: " << optimized;
      }
}

TEST(Arena, NoTwoLiveValuesOverlapWhenUpdatesFormCycles) {
  Model m;
  std::vector<Expr> chain;
  for (int i = 0; i < 9; ++i) chain.push_back(m.g.state("v" + std::to_string(i), {100}));
  for (std::size_t i = 0; i < 9; ++i)
    m.updates.push_back({chain[i], tanh(chain[(i + 1) % 9]) + chain[(i + 4) % 9]});
  m.outputs = {chain[3], sum(chain[4])};
  for (const bool optimized : {true, false})
    EXPECT_THAT(faults_of(plan_of(m.outputs, m.updates, 1, Reuse::full, optimized)), testing::IsEmpty());
}

TEST(Arena, IsSmallerWithReuseThanWithout) {
  Model m;
  build_training_step(m, 32);
  const Plan none = plan_of(m.outputs, m.updates, 32, Reuse::none);
  const Plan full = plan_of(m.outputs, m.updates, 32, Reuse::full);
  EXPECT_LT(full.arena_bytes, none.arena_bytes);
  EXPECT_EQ(plan_of(m.outputs, m.updates, 32, Reuse::poisoned).arena_bytes, full.arena_bytes);
}

TEST(Arena, ALongChainNeedsTwoBuffers) {
  Graph g;
  Expr y = g.input("x", {B, 100});
  for (int i = 0; i < 20; ++i) y = softmax(y);
  const std::size_t buffer = align_up(8 * 100 * sizeof(float));
  EXPECT_EQ(plan_of({y}, {}, 8).arena_bytes, 2 * buffer);
  EXPECT_EQ(plan_of({y}, {}, 8, Reuse::none).arena_bytes, 20 * buffer);
}

TEST(Arena, WorkspaceIsFreeAgainAfterItsStep) {
  Graph g;
  const std::vector<Expr> sums{sum(g.input("x", {B, 8}), {0}), sum(g.input("y", {B, 8}), {0})};
  const Plan full = plan_of(sums, {}, 5000), none = plan_of(sums, {}, 5000, Reuse::none);
  const std::size_t workspace = full.buffer(full.steps.at(0).workspace).bytes;
  const std::size_t results = 2 * align_up(8 * sizeof(float));
  ASSERT_GT(workspace, results);
  EXPECT_EQ(full.arena_bytes, results + workspace);
  EXPECT_EQ(none.arena_bytes, results + 2 * workspace);
}

TEST(Arena, ElementwiseChainsRunInPlace) {
  Graph g;
  Expr y = g.input("x", {B, 8});
  for (int i = 0; i < 3; ++i) y = tanh(softmax(y) + 1);
  const Plan plan = plan_of({y}, {}, 4);
  int in_place = 0;
  for (const Step& step : plan.steps)
    for (const auto& result : step.results) {
      EXPECT_EQ(plan.buffer(result.buffer).in_place, step.kind == Step::Kind::fused);
      in_place += plan.buffer(result.buffer).in_place ? 1 : 0;
    }
  EXPECT_EQ(in_place, 3);
  for (const Buffer& value : plan_of({y}, {}, 4, Reuse::none).buffers) EXPECT_FALSE(value.in_place);
}

TEST(Arena, WhatIsReadAgainIsNotOverwritten) {
  Graph g;
  const Expr x = g.input("x", {B, 8}), w = g.parameter("w", {8, 8});
  const Expr product = matmul(x, w);
  const Plan plan = plan_of({tanh(product), matmul(product, w)}, {}, 4);
  for (const Step& step : plan.steps) EXPECT_FALSE(plan.buffer(step.results[0].buffer).in_place);
  EXPECT_THAT(faults_of(plan), testing::IsEmpty());
}

TEST(Arena, IsEmptyWhenNothingIsComputed) {
  Graph g;
  const Expr x = g.input("x", {B, 2}), w = g.parameter("w", {3}, values({1, 2, 3}));
  Store<double> store;
  auto executable = compile<double>({x, w}, {}, 1, store);
  EXPECT_EQ(executable.plan().arena_bytes, 0U);
  EXPECT_THAT(executable.plan().steps, testing::IsEmpty());
  executable.feed(x, {7, 8});
  executable.run();
  EXPECT_THAT(executable.output(0).values, testing::ElementsAre(7, 8));
  EXPECT_THAT(executable.output(1).values, testing::ElementsAre(1, 2, 3));
}

// The outputs and variables after three runs.
template <class T>
std::vector<std::vector<T>> results(void (*build)(Model&), std::int64_t batch, Reuse reuse) {
  Model m;
  build(m);
  Store<T> store;
  auto executable = compile<T>(std::span(m.outputs), m.updates, batch, store, {.reuse = reuse});
  test::feed(executable, m.feeds);
  std::vector<std::vector<T>> found;
  for (int run = 0; run < 3; ++run) {
    executable.run();
    for (std::size_t i = 0; i < m.outputs.size(); ++i) found.push_back(test::values_of(executable, i));
  }
  for (const std::string& name : store.names()) found.push_back(test::values_of(store, name));
  return found;
}

template <class T> void expect_same_under_every_reuse(void (*build)(Model&), std::int64_t batch) {
  const auto expected = results<T>(build, batch, Reuse::none);
  // NaN equals nothing, itself included: a stale value shows.
  EXPECT_EQ(results<T>(build, batch, Reuse::full), expected);
  EXPECT_EQ(results<T>(build, batch, Reuse::poisoned), expected);
}

TEST(Reuse, ChangesNoBitOfATrainingStep) {
  const auto build = [](Model& m) { build_training_step(m, 5, 30, 20); };
  expect_same_under_every_reuse<float>(build, 5);
  expect_same_under_every_reuse<double>(build, 5);
}

TEST(Reuse, ChangesNoBitOfAnAssortmentOfOps) {
  const auto build = [](Model& m) { build_assortment(m, 6); };
  expect_same_under_every_reuse<float>(build, 6);
  expect_same_under_every_reuse<double>(build, 6);
}

// An op that forgets to write its output.
class Forgetful final : public OpOf<Forgetful> {
 public:
  static constexpr std::string_view name = "forgetful";
  Traits traits() const override { return {.impure = true}; }
  Shape infer(InputShapes inputs) const { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp& v) const override { return no_gradient(v); }
  template <class T> Kernel<T> make_kernel(const KernelShapes&) const {
    return [](const KernelArgs<T>&) {};
  }
};

TEST(Reuse, PoisonShowsWhatIsReadButWasNotWritten) {
  Graph g;
  const Expr x = g.input("x", {3});
  const Expr y = test::apply(Forgetful(), {x}) + 1;
  EXPECT_THAT(test::evaluate<float>(y, {{x, {1, 2, 3}}}, 1, {.reuse = Reuse::poisoned}),
              testing::Each(testing::IsNan()));
  EXPECT_THAT(test::evaluate<double>(y, {{x, {1, 2, 3}}}, 1, {.reuse = Reuse::poisoned}),
              testing::Each(testing::IsNan()));
  EXPECT_THAT(test::evaluate(y, {{x, {1, 2, 3}}}), testing::Each(1)) << "without poison it goes unnoticed";
}

}  // namespace
}  // namespace gradus
