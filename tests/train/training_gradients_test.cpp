#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gradus/gradus.hpp"
#include "gradus/train/training.hpp"

namespace gradus {
namespace {

const std::vector<double> xs{1, 2, 3, -1, 5}, ts{2, 3, 5, 0, 9};

Trainer<double> line() {
  return Trainer<double>(
      {.inputs = {{"x", {B, 1}}},
       .target = {"t", {B, 1}},
       .network = [](const std::vector<Expr>& in, Mode&) { return linear(in[0], 1, "line"); },
       .loss = mse,
       .optimizer = sgd({.rate = 0.01})},
      1);
}

void fit(Trainer<double>& trainer, const std::shared_ptr<Callback>& callback, bool shuffle) {
  trainer.fit(Dataset<double>(5, {xs, ts}),
              {.epochs = 3, .batch = 3, .shuffle = shuffle, .callbacks = {callback}, .verbose = false});
}

// By hand: 2/n Σ (w x + b − t) x and 2/n Σ (w x + b − t), over the first batch.
TEST(TrainingGradients, AreThoseOfTheWeightsAtHand) {
  double largest = 0;
  const auto look = on_epoch_end([&](Training& training) {
    const double w = training.weights().at("line/W")[0], b = training.weights().at("line/b")[0];
    double by_w = 0, by_b = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      by_w += 2.0 / 3 * (w * xs[i] + b - ts[i]) * xs[i];
      by_b += 2.0 / 3 * (w * xs[i] + b - ts[i]);
    }
    const NamedValues found = training.gradients();
    EXPECT_EQ(found.size(), 2U);
    EXPECT_NEAR(found.at("line/W")[0], by_w, 1e-12);
    EXPECT_NEAR(found.at("line/b")[0], by_b, 1e-12);
    largest = std::max(largest, std::abs(by_w));
  });
  Trainer<double> trainer = line();
  fit(trainer, look, false);
  EXPECT_GT(largest, 0);
}

// Before the first epoch they are those of its first batch, shuffled as it will be.
TEST(TrainingGradients, AreTheSameBeforeTheFirstEpochAndAtItsBeginning) {
  struct Look final : Callback {
    void on_train_begin(Training& training) override { first = training.gradients(); }
    void on_epoch_begin(Training& training) override {
      if (training.epoch() == 0) {
        EXPECT_EQ(training.gradients(), first);
      }
    }
    NamedValues first;
  };
  const auto look = std::make_shared<Look>();
  Trainer<double> trainer = line();
  fit(trainer, look, true);
  EXPECT_EQ(look->first.size(), 2U);
}

}  // namespace
}  // namespace gradus
