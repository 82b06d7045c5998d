// stop_on_nan beside whatever else sets the rate, over optimizers without one, when a training is resumed,
// and for values that are NaN to begin with. Callbacks whose options make no sense.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "gradus/gradus.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

using test::all_values;
using test::error_of;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::int64_t samples = 100;

// log of what steps with a rate above about 1 drive below 0.
ModelDefinition touchy(const Optimizer& optimizer = sgd({.rate = 100})) {
  return {.inputs = {{"x", {B, 1}}},
          .target = {"t", {B, 1}},
          .network = [](Expr x) { return x * log(x.graph().parameter("w", {1}, constant(2))); },
          .loss = [](Expr y, Expr t) { return mean(0.3 * (y + t)) + mean(square(y)); },
          .optimizer = optimizer};
}

template <class T> Dataset<T> ones() {
  return {samples, {std::vector<double>(samples, 1), std::vector<double>(samples, 2)}};
}

template <class T> FitOptions<T> with(Callbacks callbacks, std::int64_t epochs = 3) {
  return {
      .epochs = epochs, .batch = 1, .shuffle = false, .callbacks = std::move(callbacks), .verbose = false};
}

std::shared_ptr<Callback> lowers(double factor = 0.1, std::int64_t most = 10) {
  return stop_on_nan({.then = OnNan::lower_rate, .factor = factor, .most = most});
}

class SetsTheRate final : public PerFit<SetsTheRate> {
 public:
  explicit SetsTheRate(double rate) : rate_(rate) {}
  bool wants_steps() const override { return true; }
  void on_step_begin(Training& training) override { training.set_rate(rate_); }

 private:
  double rate_;
};

template <class T> class LowerRate : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(LowerRate, Precisions);

// Whoever sets the rate, how often, and whether before or behind stop_on_nan.
TYPED_TEST(LowerRate, StaysBelowWhatASchedule) {
  using T = TypeParam;
  const auto constant_rate = [](std::int64_t) { return 100.0; };
  const std::vector<std::shared_ptr<Callback>> setters{
      schedule(constant_rate, Every::step),
      schedule(constant_rate, Every::epoch),
      schedule(exponential_decay(100, 1000, 0.9), Every::step),
      schedule(cosine_decay(100, 300), Every::step),
      schedule(warm_up(20, 0.01, constant_rate), Every::step),
      on_epoch_begin([](Training& training) { training.set_rate(100); }),
      std::make_shared<SetsTheRate>(100)};
  for (std::size_t i = 0; i < setters.size(); ++i)
    for (const bool first : {false, true}) {
      Trainer<T> trainer(touchy(), 1);
      const History history = trainer.fit(
          ones<T>(), with<T>(first ? Callbacks{lowers(), setters[i]} : Callbacks{setters[i], lowers()}));
      EXPECT_FALSE(history.failed) << i << ": " << history.stopped;
      EXPECT_THAT(history.remarks,
                  AllOf(Not(IsEmpty()), Each(HasSubstr("the learning rate was lowered to"))));
      EXPECT_LE(trainer.store().values("sgd/rate")[0], 10) << i;
      EXPECT_TRUE(std::isfinite(trainer.store().values("w")[0]));
      // Each time to a tenth of what it was.
      for (std::size_t k = 1; k < history.remarks.size(); ++k)
        EXPECT_NE(history.remarks[k], history.remarks[k - 1]);
    }
}

// The remark says what the rate is.
TYPED_TEST(LowerRate, IsWhatTheRemarkSays) {
  using T = TypeParam;
  Trainer<T> trainer(touchy(sgd({.rate = 8})), 1);
  std::vector<double> seen;
  const auto history = trainer.fit(
      ones<T>(), with<T>({schedule([](std::int64_t) { return 8.0; }, Every::step), lowers(0.5),
                          on_epoch_end([&](Training& training) { seen.push_back(training.rate()); })}));
  ASSERT_THAT(history.remarks, Not(IsEmpty()));
  const std::string& last = history.remarks.back();
  const std::string begin = "lowered to ";
  EXPECT_EQ(std::stod(last.substr(last.find(begin) + begin.size())), seen.back());
}

// A plateau's reductions go on from the lowered rate.
TYPED_TEST(LowerRate, IsLoweredFurtherByAPlateau) {
  using T = TypeParam;
  Trainer<T> trainer(touchy(), 1);
  const History history = trainer.fit(
      ones<T>(),
      with<T>(
          {lowers(), reduce_on_plateau({.monitor = "loss", .factor = 0.5, .patience = 1, .min_delta = 1e6})},
          4));
  EXPECT_FALSE(history.failed);
  EXPECT_LE(trainer.store().values("sgd/rate")[0], 10 * 0.25);
}

TYPED_TEST(LowerRate, WantsAnOptimizerWithARate) {
  using T = TypeParam;
  int epochs = 0;
  const auto counts = on_epoch_begin([&](Training&) { ++epochs; });
  Trainer<T> trainer(touchy(rprop()), 1);
  EXPECT_THAT(
      error_of([&] {
        trainer.fit(ones<T>(), with<T>({counts, lowers()}));
      }),
      AllOf(HasSubstr("stop_on_nan"), HasSubstr("has no learning rate"), HasSubstr("OnNan::skip_step")));
  EXPECT_THAT(error_of([&] {
                trainer.fit(ones<T>(), with<T>({counts, reduce_on_plateau()}));
              }),
              HasSubstr("reduce_on_plateau: the optimizer has no learning rate"));
  EXPECT_EQ(epochs, 0);
  for (const OnNan then : {OnNan::stop, OnNan::skip_step})
    EXPECT_EQ(error_of([&] { trainer.fit(ones<T>(), with<T>({stop_on_nan({.then = then})})); }), "no error");
}

// A step that leaves a NaN nowhere but where there was one goes wrong, too; what is infinite may stay so.
TYPED_TEST(LowerRate, FindsValuesThatAreNaNToBeginWith) {
  using T = TypeParam;
  ModelDefinition model = touchy(adam());
  model.network = [](Expr x, Mode& mode) {
    return linear(batch_norm(linear(x, 2, "h"), "norm", mode), 1, "y");
  };
  model.loss = mse;
  for (const char* name : {"norm/mean", "norm/variance", "adam/m/h/W", "adam/v/h/b", "h/W"})
    for (const OnNan then : {OnNan::stop, OnNan::skip_step, OnNan::lower_rate}) {
      Trainer<T> trainer(model, 1);
      if (!trainer.store().contains(name)) continue;
      trainer.store().values(name)[1] = static_cast<T>(NAN);
      const History history = trainer.fit(ones<T>(), with<T>({stop_on_nan({.then = then, .most = 2})}));
      EXPECT_TRUE(history.failed) << name;
      EXPECT_THAT(history.stopped, AllOf(HasSubstr("epoch 1, step"), HasSubstr(name))) << name;
      EXPECT_THAT(error_of([&] { trainer.fit(ones<T>(), with<T>({})); }), HasSubstr(name));
    }
}

class ResumedNanAnswer : public test::FolderTest {};

// Other options than the checkpoint's are refused, each of them.
TEST_F(ResumedNanAnswer, NeedsTheSameOptions) {
  const NanOptions made{.then = OnNan::lower_rate, .factor = 0.1, .most = 10};
  const auto resumed_with = [&](const NanOptions& options) {
    Trainer<double> trainer(touchy(), 1);
    trainer.resume(file("checkpoint"));
    return error_of([&] { trainer.fit(ones<double>(), with<double>({stop_on_nan(options)})); });
  };
  Trainer<double> trainer(touchy(), 1);
  trainer.fit(ones<double>(), with<double>({stop_on_nan(made), checkpoint(file("checkpoint"))}, 2));
  EXPECT_THAT(resumed_with({.then = OnNan::skip_step, .factor = 0.1, .most = 10}),
              HasSubstr("the options of stop_on_nan are not those"));
  EXPECT_THAT(resumed_with({.then = OnNan::lower_rate, .factor = 0.2, .most = 10}),
              HasSubstr("the options of stop_on_nan are not those"));
  EXPECT_THAT(resumed_with({.then = OnNan::lower_rate, .factor = 0.1, .most = 9}),
              HasSubstr("the options of stop_on_nan are not those"));
  EXPECT_THAT(resumed_with({}), HasSubstr("stop_on_nan"));
  EXPECT_EQ(resumed_with(made), "no error");
}

// The limit outlives the checkpoint: a resumed training has the bits of one that went on.
TEST_F(ResumedNanAnswer, KeepsTheLimit) {
  const auto callbacks = [&] {
    return Callbacks{schedule([](std::int64_t) { return 100.0; }, Every::step), lowers(),
                     checkpoint(file("checkpoint-{epoch}"))};
  };
  Trainer<double> whole(touchy(), 1), resumed(touchy(), 1);
  const History history = whole.fit(ones<double>(), with<double>(callbacks(), 3));
  EXPECT_FALSE(history.failed);
  resumed.resume(file("checkpoint-1"));
  EXPECT_EQ(resumed.fit(ones<double>(), with<double>(callbacks(), 3)).epochs, history.epochs);
  EXPECT_EQ(all_values(resumed.store()), all_values(whole.store()));
}

TEST(CallbackOptions, MakeSense) {
  const std::pair<const char*, std::function<void()>> mistakes[] = {
      {"schedule: the function", [] { schedule(nullptr); }},
      {"schedule: the function", [] { schedule(Schedule(), Every::step); }},
      {"warm_up: the function", [] { warm_up(3, 0, nullptr); }},
      {"on_epoch_begin: the function", [] { on_epoch_begin(nullptr); }},
      {"on_epoch_end: the function", [] { on_epoch_end(nullptr); }},
      {"early_stopping: the patience is -1", [] { early_stopping({.patience = -1}); }},
      {"early_stopping: min_delta is nan", [] { early_stopping({.min_delta = NAN}); }},
      {"reduce_on_plateau: the patience is -2", [] { reduce_on_plateau({.patience = -2}); }},
      {"reduce_on_plateau: the cooldown is -1", [] { reduce_on_plateau({.cooldown = -1}); }},
      {"reduce_on_plateau: min_rate is -0.5", [] { reduce_on_plateau({.min_rate = -0.5}); }},
      {"reduce_on_plateau: min_rate is nan", [] { reduce_on_plateau({.min_rate = NAN}); }},
      {"reduce_on_plateau: min_delta is nan", [] { reduce_on_plateau({.min_delta = NAN}); }},
  };
  for (const auto& [says, make] : mistakes) EXPECT_THAT(error_of(make), testing::StartsWith(says));
}

}  // namespace
}  // namespace gradus
