// Where the planner puts values, checked against rules of its own; updates have update_test, fusion has
// fusion_test.

#include "framework/compile/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "framework/base/aligned.hpp"
#include "framework/compile/fuse.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/custom_op.hpp"
#include "tests/support/framework_support.hpp"

namespace gradus {
namespace {

using test::some_values;

Plan plan_of(const std::vector<Expr>& outputs, const std::vector<Update>& updates, std::int64_t batch,
             Reuse reuse = Reuse::full, bool optimized = true) {
  Program program = extract(outputs, updates);
  if (optimized) program = optimize(program, batch);
  return make_plan(std::move(program), batch, sizeof(float), {.reuse = reuse, .fuse = optimized});
}

// Knows nothing of how the plan was made: walks the steps and says what is wrong, or nothing.
class PlanChecker {
 public:
  explicit PlanChecker(const Plan& plan) : plan_(plan), lives_(plan.values.size()) {}

  std::vector<std::string> faults() {
    find_lives();
    for (ValueId v = 0; v < count(); ++v) {
      check_place(v);
      for (ValueId w = 0; w < v; ++w) check_pair(w, v);
    }
    return faults_;
  }

 private:
  struct Life {
    int born = -1;  // the step that writes the value
    int dies = -1;  // the last step that reads it
  };
  ValueId count() const { return static_cast<ValueId>(plan_.values.size()); }
  Life& life(ValueId v) { return lives_[static_cast<std::size_t>(v)]; }
  bool in_arena(ValueId v) const { return plan_.value(v).place == Value::Place::arena; }
  void fault(const std::string& text) { faults_.push_back(text); }

  void find_lives() {
    for (int s = 0; s < static_cast<int>(plan_.steps.size()); ++s) {
      const Step& step = plan_.steps[static_cast<std::size_t>(s)];
      for (const Operand& operand : step.operands) {
        if (operand.value < 0) continue;
        if (in_arena(operand.value) && life(operand.value).born < 0)
          fault("step " + std::to_string(s) + " reads a value that nothing has written");
        check_variable_read(operand, s);
        life(operand.value).dies = s;
      }
      for (const auto& result : step.results) {
        if (life(result.value).born >= 0) fault("a value is written twice");
        if (plan_.value(result.value).place == Value::Place::variable)
          check_variable_write(step, result.value);
        if (plan_.value(result.value).place == Value::Place::input) fault("an input is written");
        if (plan_.value(result.value).place == Value::Place::constant) fault("a constant is written");
        life(result.value).born = s;
        life(result.value).dies = std::max(life(result.value).dies, s);
      }
    }
    for (const ValueId output : plan_.outputs) {
      if (in_arena(output) && life(output).born < 0) fault("an output is never written");
      if (plan_.value(output).place == Value::Place::variable && life(output).born >= 0)
        fault("an output is a variable that changes");
      life(output).dies = std::numeric_limits<int>::max();
    }
    for (const auto& [variable, value] : plan_.program.updates)
      if (std::ranges::none_of(lives_, [&, id = variable](const Life& l) {
            const auto v = static_cast<ValueId>(&l - lives_.data());
            return plan_.value(v).node == id && plan_.value(v).place == Value::Place::variable && l.born >= 0;
          }))
        fault("an update writes no variable");
  }

  // Reads of the variable's own node want the old value, all others the new one.
  void check_variable_read(const Operand& operand, int s) {
    const Value& value = plan_.value(operand.value);
    if (value.place != Value::Place::variable) return;
    const bool wants_old = origin(*plan_.program.graph, operand.node) == value.node;
    const bool written = life(operand.value).born >= 0;
    if (wants_old && written) fault("step " + std::to_string(s) + " reads an old value too late");
    if (!wants_old && !written) fault("step " + std::to_string(s) + " reads a new value too early");
  }

  // A step that writes what it also reads may do so only element for element.
  void check_variable_write(const Step& step, ValueId variable) {
    for (const Operand& operand : step.operands)
      if (operand.value == variable && (step.kind != Step::Kind::group || operand.access != Access::full))
        fault("a step writes a variable of which it reads other elements");
  }

  void check_place(ValueId v) {
    const Value& value = plan_.value(v);
    const bool lives = value.place != Value::Place::arena || life(v).born >= 0;
    if (!lives || value.place == Value::Place::variable) return;
    const std::size_t size = in_arena(v) ? plan_.arena_bytes : plan_.pinned_bytes;
    if (value.offset % 64 != 0) fault("an offset is not on a cache line");
    if (value.offset + value.bytes > size) fault("a value lies outside of its arena");
    const auto elements = static_cast<std::size_t>(element_count(value.extents));
    if (value.bytes != elements * plan_.element_bytes) fault("a value has the wrong size");
  }

  void check_pair(ValueId v, ValueId w) {
    const Value &a = plan_.value(v), &b = plan_.value(w);
    const bool share = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
    const auto pinned = [](const Value& x) {
      return x.place == Value::Place::input || x.place == Value::Place::constant;
    };
    if (pinned(a) && pinned(b) && share) fault("two pinned values overlap");
    if (!in_arena(v) || !in_arena(w) || !share || life(v).born < 0 || life(w).born < 0) return;
    if (life(v).dies < life(w).born || life(w).dies < life(v).born) return;
    const bool v_first = life(v).born < life(w).born;
    if (!takes_over(v_first ? v : w, v_first ? w : v))
      fault("values " + std::to_string(v) + " and " + std::to_string(w) + " are alive in the same place");
  }

  // In place: the heir is born in the step in which the operand dies, lies exactly there, and that step reads
  // the operand element for element.
  bool takes_over(ValueId dead, ValueId heir) {
    if (life(dead).dies != life(heir).born || !plan_.value(heir).in_place) return false;
    if (plan_.value(dead).offset != plan_.value(heir).offset) return false;
    if (plan_.value(dead).bytes != plan_.value(heir).bytes) return false;
    const Step& step = plan_.steps[static_cast<std::size_t>(life(heir).born)];
    return step.kind == Step::Kind::group && std::ranges::all_of(step.operands, [&](const Operand& o) {
             return o.value != dead || o.access == Access::full;
           });
  }

  const Plan& plan_;
  std::vector<Life> lives_;
  std::vector<std::string> faults_;
};

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
    return g.parameter(name, shape,
                       test::starting_at(some_values(shape.element_count().constant(), 0.1, seed)));
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
      EXPECT_THAT(PlanChecker(plan).faults(), testing::IsEmpty()) << "optimized: " << optimized;
    }
}

TEST(Arena, NoTwoLiveValuesOverlapInAnAssortmentOfOps) {
  for (const std::int64_t batch : {1, 2, 17})
    for (const bool optimized : {true, false})
      for (const Reuse reuse : {Reuse::none, Reuse::full}) {
        Model m;
        build_assortment(m, batch);
        const Plan plan = plan_of(m.outputs, m.updates, batch, reuse, optimized);
        EXPECT_THAT(PlanChecker(plan).faults(), testing::IsEmpty())
            << "batch " << batch << ", optimized: " << optimized;
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
    EXPECT_THAT(PlanChecker(plan_of(m.outputs, m.updates, 1, Reuse::full, optimized)).faults(),
                testing::IsEmpty());
}

TEST(Arena, TheCheckerSeesWhatIsWrong) {
  Model m;
  build_assortment(m, 3);
  const Plan good = plan_of(m.outputs, m.updates, 3);
  Plan shifted = good;
  for (Value& value : shifted.values) value.offset = value.offset / 128 * 64;
  EXPECT_THAT(PlanChecker(shifted).faults(),
              testing::Contains(testing::HasSubstr("alive in the same place")));
  Plan reversed = good;
  std::ranges::reverse(reversed.steps);
  EXPECT_THAT(PlanChecker(reversed).faults(), testing::Contains(testing::HasSubstr("nothing has written")));
  Plan crooked = good;
  for (Value& value : crooked.values) value.offset += 4;
  EXPECT_THAT(PlanChecker(crooked).faults(), testing::Contains("an offset is not on a cache line"));
  Plan small = good;
  small.arena_bytes /= 2;
  EXPECT_THAT(PlanChecker(small).faults(), testing::Contains("a value lies outside of its arena"));
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

TEST(Arena, ElementwiseChainsRunInPlace) {
  Graph g;
  Expr y = g.input("x", {B, 8});
  for (int i = 0; i < 3; ++i) y = tanh(softmax(y) + 1);
  const Plan plan = plan_of({y}, {}, 4);
  int in_place = 0;
  for (const Step& step : plan.steps)
    for (const auto& result : step.results) {
      EXPECT_EQ(plan.value(result.value).in_place, step.kind == Step::Kind::group);
      in_place += plan.value(result.value).in_place ? 1 : 0;
    }
  EXPECT_EQ(in_place, 3);
  for (const Value& value : plan_of({y}, {}, 4, Reuse::none).values) EXPECT_FALSE(value.in_place);
}

TEST(Arena, WhatIsReadAgainIsNotOverwritten) {
  Graph g;
  const Expr x = g.input("x", {B, 8}), w = g.parameter("w", {8, 8});
  const Expr product = matmul(x, w);
  const Plan plan = plan_of({tanh(product), matmul(product, w)}, {}, 4);
  for (const Step& step : plan.steps) EXPECT_FALSE(plan.value(step.results[0].value).in_place);
  EXPECT_THAT(PlanChecker(plan).faults(), testing::IsEmpty());
}

TEST(Arena, IsEmptyWhenNothingIsComputed) {
  Graph g;
  const Expr x = g.input("x", {B, 2}), w = g.parameter("w", {3}, test::starting_at({1, 2, 3}));
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

template <class T>
void expect_same_under_every_reuse(void (*build)(Model&), std::int64_t batch) {
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
  Shape infer(InputShapes inputs) const override { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp& v) const override { return no_gradient(v); }
  template <class T>
  Kernel<T> make_kernel(const Signature&) const {
    return [](const T* const*, T*) {};
  }
};

TEST(Reuse, PoisonShowsWhatIsReadButWasNotWritten) {
  Graph g;
  const Expr x = g.input("x", {3});
  const Expr y = make_node(Forgetful(), {x}) + 1;
  EXPECT_THAT(test::evaluate<float>(y, {{x, {1, 2, 3}}}, {.compile = {.reuse = Reuse::poisoned}}),
              testing::Each(testing::IsNan()));
  EXPECT_THAT(test::evaluate<double>(y, {{x, {1, 2, 3}}}, {.compile = {.reuse = Reuse::poisoned}}),
              testing::Each(testing::IsNan()));
  EXPECT_THAT(test::evaluate(y, {{x, {1, 2, 3}}}), testing::Each(1)) << "without poison it goes unnoticed";
}

}  // namespace
}  // namespace gradus
