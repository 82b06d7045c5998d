// The guides' own code, cut out of docs/*.md by the build; in one file, to be compiled once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "gradus/base/random.hpp"
#include "gradus/gradus.hpp"
// docs/custom-model.md
#include "snippets/own_network.cpp"
//
#include "snippets/own_check.cpp"
#include "snippets/own_groups.cpp"
#include "snippets/own_loop.cpp"
#include "snippets/own_picture.cpp"
#include "snippets/own_siamese.cpp"
// docs/custom-op.md
#include "snippets/squareplus.cpp"
//
#include "snippets/cumsum.cpp"
//
#include "snippets/check_ops.cpp"
// docs/checking.md
#include "snippets/check_loss.cpp"
#include "snippets/check_matcher.cpp"
#include "snippets/slips.cpp"
// docs/batching.md
#include "snippets/batch_sizes.cpp"

namespace {

TEST(Guides, AModelOfOnesOwn) {
  EXPECT_TRUE(gradients_are_right());
  gradus::Random random(7);
  std::vector<float> users(64 * 4), items(64 * 3), ratings(64);
  for (float& v : users) v = static_cast<float>(random.normal());
  for (float& v : items) v = static_cast<float>(random.normal());
  for (std::size_t i = 0; i < ratings.size(); ++i) ratings[i] = users[4 * i] * items[3 * i] + 0.5F;
  EXPECT_LT(trained_loss(users, items, ratings), 0.05F);
  EXPECT_THAT(picture(),
              ::testing::AllOf(::testing::HasSubstr("label=\"user\""), ::testing::HasSubstr("PREDICTION")));
}

TEST(Guides, GroupsOfParameters) {
  const Recommender model;
  std::set<std::string> updated;
  for (const gradus::Update& update : fine_tuning()(model.loss))
    updated.insert(model.g[update.variable.id()].label);
  EXPECT_THAT(updated,
              ::testing::IsSupersetOf({"item/W", "item/b", "offset", "biases/step", "adam/m/item/W"}));
  EXPECT_FALSE(updated.contains("user/W"));
  EXPECT_FALSE(updated.contains("adam/m/user/W"));
}

TEST(Guides, OneLayerForTwoInputs) {
  gradus::Random random(7);
  std::vector<double> left(64 * 3), right(64 * 3), distance(64), weights(64, 1);
  for (double& v : left) v = random.normal();
  for (double& v : right) v = random.normal();
  for (std::size_t i = 0; i < 64; ++i) distance[i] = std::abs(left[3 * i] - right[3 * i]);
  gradus::Trainer<float> trainer(siamese(), 1);
  const gradus::Dataset<float> data(64, {left, right, distance, weights});
  const auto losses = trainer.fit(data, {.epochs = 200, .verbose = false}).of("loss");
  EXPECT_LT(losses.back(), losses.front() / 4);
  EXPECT_THAT(trainer.summary(), ::testing::HasSubstr("parameters: 32 "));
}

TEST(Guides, OpsOfOnesOwn) {
  EXPECT_TRUE(ops_are_right());
  gradus::Graph g;
  const auto x = g.input("x", {gradus::B, 3});
  gradus::Store<double> store;
  auto program = gradus::compile<double>({cumsum(x), squareplus(x)}, {}, 2, store);
  program.feed(x, {1, 2, 3, 10, 20, 30});
  program.run();
  EXPECT_THAT(program.output(0).values, ::testing::ElementsAre(1, 3, 6, 10, 30, 60));
  EXPECT_NEAR(program.output(1).values[0], (1 + std::sqrt(5.0)) / 2, 1e-15);
  EXPECT_THAT(
      [] {
        gradus::Graph other;
        cumsum(other.input("s", {}));
      },
      ::testing::ThrowsMessage<gradus::Error>(::testing::HasSubstr("a scalar has no last axis")));
}

TEST(Guides, CheckingGradients) {
  gradus::Graph g;
  const auto x = g.input("x", {gradus::B});
  EXPECT_TRUE(is_right(mean(tanh(x)), {{"x", {0.5, -1, 2}}}));
  const std::set<std::string> wrong{"w3", "w4"};
  EXPECT_EQ(contradicted({.bias = true}), wrong);
  EXPECT_EQ(contradicted({.hidden = true}), wrong);
  EXPECT_EQ(contradicted({.bias = true, .hidden = true}), wrong);
  EXPECT_EQ(contradicted({}), std::set<std::string>());
}

TEST(Guides, BatchedAndPerSampleAgree) { EXPECT_LT(difference_of_the_two_ways(), 1e-15); }

TEST(Guides, LifeOfAValue) {
  using namespace gradus;
#include "snippets/life.cpp"
  EXPECT_EQ(program.output().values.size(), 8U);
  EXPECT_FLOAT_EQ(program.output().values[0], std::tanh(3.0F));
}

}  // namespace
