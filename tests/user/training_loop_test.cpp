// Training without `Trainer`: a loop of one's own, with dropout, a schedule and clipping.
#include <gtest/gtest.h>

#include "gradus/gradus.hpp"

using namespace gradus;

TEST(TrainingLoop, OfOnesOwnInTwentyLines) {
  // Begin: the loop.
  Graph g;
  Mode mode(Mode::training);
  const Expr x = g.input("x", {B, 2}), t = g.input("t", {B, 1});
  const Expr h = dropout(tanh(linear(x, 16, "hidden")), 0.1, "drop", mode);
  const Expr loss = binary_cross_entropy(linear(h, 1, "output"), t);
  const Optimizer optimizer = adam({.rate = 0.05}).clip_norm(1);
  std::vector<Update> updates = optimizer(loss);
  updates.insert(updates.end(), mode.updates().begin(), mode.updates().end());
  Store<float> store(/*seed=*/1);
  auto step = compile<float>({loss}, updates, 4, store);
  step.feed(x, {0, 0, 0, 1, 1, 0, 1, 1});
  step.feed(t, {0, 1, 1, 0});
  for (int i = 0; i < 300; ++i) {
    store.values(optimizer.rate_name())[0] = 0.05F / (1 + 0.01F * static_cast<float>(i));
    step.run();
  }
  // End: the loop.
  EXPECT_LT(step.output().item(), 0.1F);
}
