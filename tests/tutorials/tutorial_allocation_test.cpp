// No tutorial's program allocates while it runs, be it for prediction or for training, in float or in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "gradus/nn/layers.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"
#include "gradus/runtime/executable.hpp"
#include "gradus/train/training.hpp"
#include "models/tutorials/all.hpp"
#include "tests/support/allocation_counter.hpp"

namespace gradus {
namespace {

template <class T>
void expect_no_allocation(const Problem& p, const std::vector<Expr>& outputs,
                          const std::vector<Update>& updates) {
  Store<T> store;
  auto program = compile<T>(std::span(outputs), std::span(updates), p.batch, store);
  std::map<std::string, std::vector<T>> feeds;
  for (const auto& [name, values] : p.point)
    if (program.has_input(name)) feeds[name].assign(values.begin(), values.end());
  for (const auto& [name, values] : feeds) program.feed(name, values);
  // The first product makes OpenBLAS set itself up.
  program.run();
  const test::AllocationCounter counter;
  for (const auto& [name, values] : feeds) program.feed(name, values);
  for (int step = 0; step < 3; ++step) program.run();
  EXPECT_EQ(counter.count(), 0U);
}

class TutorialAllocation : public testing::TestWithParam<const Tutorial*> {};

TEST_P(TutorialAllocation, RunAllocatesNothing) {
  if (!test::allocations_can_be_counted()) GTEST_SKIP() << "a sanitizer has replaced malloc";
  const Problem p = GetParam()->problem();
  expect_no_allocation<double>(p, {p.prediction}, {});
  expect_no_allocation<float>(p, {p.prediction}, {});
  if (p.loss.is_null()) return;
  expect_no_allocation<double>(p, {p.loss}, p.updates);
  expect_no_allocation<float>(p, {p.loss}, p.updates);
}

INSTANTIATE_TEST_SUITE_P(All, TutorialAllocation, testing::ValuesIn(tutorials()), [](const auto& info) {
  std::string name(info.param->name());
  std::ranges::replace(name, '-', '_');
  return name;
});

// Counts the allocations between the second step and the last of the second epoch.
class CountSteps final : public Callback {
 public:
  bool wants_steps() const override { return true; }
  void on_step_end(Training& training) override {
    if (training.epoch() != 1) return;
    if (training.step() == 2) counter_.emplace();
    if (training.step() == training.steps()) counted = counter_->count();
  }

  std::optional<std::size_t> counted;

 private:
  std::optional<test::AllocationCounter> counter_;
};

TEST(TrainerAllocation, AStepOfFitAllocatesNothing) {
  if (!test::allocations_can_be_counted()) GTEST_SKIP() << "a sanitizer has replaced malloc";
  Trainer<float> trainer({.inputs = {{"x", {B, 4}}},
                          .target = {"t", {B, 1}},
                          .network =
                              [](const std::vector<Expr>& in, Mode& mode) {
                                const Expr h = batch_norm(linear(in[0], 8, "hidden"), "norm", mode);
                                return linear(dropout(tanh(h), 0.2, "drop", mode), 1, "output");
                              },
                          .loss = mse});
  const Dataset<float> data(45, {std::vector<double>(180, 0.5), std::vector<double>(45, 1)});
  const auto count = std::make_shared<CountSteps>();
  trainer.fit(data, {.epochs = 2,
                     .batch = 8,
                     .callbacks = {schedule(cosine_decay(0.1, 12), Every::step), stop_on_nan(), count},
                     .verbose = false});
  ASSERT_TRUE(count->counted.has_value());
  EXPECT_EQ(*count->counted, 0U);
}

}  // namespace
}  // namespace gradus
