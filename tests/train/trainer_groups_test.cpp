// A trainer with parameter groups: schedules keep the ratios of rates, and a resumed training has the same
// bits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "gradus/base/random.hpp"
#include "gradus/gradus.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

using test::all_values;

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// Every pair of features: groups, their rates, decay, clipping around and within, a frozen layer, a norm's
// running means, dropout.
Optimizer all_at_once() {
  return groups({{"frozen/*", frozen()},
                 {"*/b", adam({.rate = 0.03}).named("biases").clip_value(0.01)},
                 {"norm/*", sgd({.rate = 0.003, .momentum = 0.9}).clip_norm(0.1)},
                 {"*", adamw({{.rate = 0.01}, 0.2})}})
      .clip_norm(0.5);
}

ModelDefinition model(const Optimizer& optimizer) {
  return {.inputs = {{"x", {B, 3}}},
          .target = {"t", {B, 1}},
          .network =
              [](const std::vector<Expr>& in, Mode& mode) {
                const Expr h = batch_norm(tanh(linear(in[0], 6, "frozen")), "norm", mode);
                return linear(dropout(tanh(linear(h, 5, "hidden")), 0.2, "drop", mode), 1, "output");
              },
          .loss = mse,
          .optimizer = optimizer};
}

template <class T> Dataset<T> data() {
  Random random(2);
  std::vector<double> x(40 * 3), t(40);
  for (double& v : x) v = random.normal();
  for (std::size_t i = 0; i < t.size(); ++i) t[i] = x[3 * i] - x[3 * i + 1] * x[3 * i + 2];
  return {40, {x, t}};
}

template <class T> FitOptions<T> scheduled(Callbacks more = {}) {
  more.push_back(schedule(warm_up(4, 0, cosine_decay(0.03, 20)), Every::step));
  return {.epochs = 4, .batch = 16, .callbacks = std::move(more), .verbose = false};
}

// Ends a training after so many steps.
class StopAt final : public Callback {
 public:
  explicit StopAt(int steps) : left_(steps) {}
  bool wants_steps() const override { return true; }
  void on_step_end(Training& training) override {
    if (--left_ == 0) training.stop("enough");
  }

 private:
  int left_;
};

template <class T> class TrainerGroups : public test::FolderTest {};

using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(TrainerGroups, Precisions);

TYPED_TEST(TrainerGroups, ResumeBitForBitFromAnyStep) {
  using T = TypeParam;
  Trainer<T> whole(model(all_at_once()), 1);
  const auto start = all_values(whole.store());
  whole.fit(data<T>(), scheduled<T>());
  const auto expected = all_values(whole.store());
  for (const auto& [name, values] : start)
    if (name != "frozen/W" && name != "frozen/b")
      EXPECT_NE(values, expected.at(name)) << name;
    else
      EXPECT_EQ(values, expected.at(name)) << name;
  const std::string file = this->file("c");
  for (int stop_at = 1; stop_at <= 12; ++stop_at) {
    Trainer<T> first(model(all_at_once()), 1), second(model(all_at_once()), 1);
    first.fit(data<T>(), scheduled<T>({std::make_shared<StopAt>(stop_at)}));
    first.save_checkpoint(file);
    second.resume(file);
    second.fit(data<T>(), scheduled<T>());
    EXPECT_EQ(all_values(second.store()), expected) << "stopped after step " << stop_at;
  }
}

TYPED_TEST(TrainerGroups, KeepTheirRatiosUnderSchedules) {
  using T = TypeParam;
  Trainer<T> trainer(model(all_at_once()), 1);
  const auto rates = [&] {
    std::vector<T> all;
    for (const char* state : {"biases/rate", "sgd/rate", "adam/rate"})
      all.push_back(trainer.store().values(state)[0]);
    return all;
  };
  double asked = -1;
  const auto look = on_epoch_begin([&](Training& training) {
    EXPECT_EQ(training.rate(), static_cast<double>(static_cast<T>(0.03)));
    training.set_rate(0);  // from which a ratio of what is there would not come back
    training.set_rate(0.6);
    asked = training.rate();
  });
  trainer.fit(data<T>(), {.callbacks = {look}, .verbose = false});
  EXPECT_EQ(asked, static_cast<double>(static_cast<T>(0.6)));
  EXPECT_EQ(rates(), (std::vector{static_cast<T>(0.6), static_cast<T>(0.6 * (0.003 / 0.03)),
                                  static_cast<T>(0.6 * (0.01 / 0.03))}));
}

TEST(TrainerRates, LeaveAGroupAtZeroThere) {
  const auto rates_after = [](double first, double second) {
    Trainer<double> trainer(
        model(groups({{"*/W", sgd({.rate = first})}, {"*", sgd({.rate = second}).named("rest")}})));
    double told = -1;
    const auto set = on_epoch_begin([&](Training& training) {
      training.set_rate(0.5);
      told = training.rate();
    });
    trainer.fit(data<double>(), {.callbacks = {set}, .verbose = false});
    return std::vector{told, trainer.store().values("sgd/rate")[0], trainer.store().values("rest/rate")[0]};
  };
  EXPECT_THAT(rates_after(0, 0.1), ElementsAre(0.5, 0, 0.5));
  EXPECT_THAT(rates_after(0.2, 0.1), ElementsAre(0.5, 0.5, 0.25));
  EXPECT_THAT(rates_after(0, 0), ElementsAre(0.5, 0.5, 0.5));
}

TEST(TrainerSummary, CountsFrozenParametersAsNotTrained) {
  // 24 of the frozen layer and 12 running means are not; 12 of the norm, 35 and 6 are.
  EXPECT_THAT(Trainer<float>(model(all_at_once())).summary(),
              HasSubstr("parameters: 89 (53 trained, 36 not)"));
}

}  // namespace
}  // namespace gradus
