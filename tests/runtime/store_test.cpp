#include "gradus/runtime/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/nn/initializers.hpp"
#include "gradus/ops.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/evaluate.hpp"

namespace gradus {
namespace {

using test::error_of;
using test::values_of;
using testing::ElementsAre;

// Writes its seed, so that two variables can be told apart.
void write_seed(const Extents&, std::uint64_t seed, std::span<double> values) {
  for (double& value : values) value = static_cast<double>(seed >> 40U);
}

TEST(StoreTest, VariablesStartWithTheirInitializersOrAtZero) {
  Graph g;
  g.parameter("w", {2, 2}, values({1, 2, 3, 4}));
  g.state("slot", {3});
  Store<float> store;
  EXPECT_FALSE(store.contains("w"));
  store.create(g);
  EXPECT_TRUE(store.contains("w"));
  EXPECT_THAT(store.names(), ElementsAre("w", "slot"));
  EXPECT_EQ(store.extents("w"), (Extents{2, 2}));
  EXPECT_THAT(values_of(store, "w"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(values_of(store, "slot"), ElementsAre(0, 0, 0));
}

TEST(StoreTest, CompilingCreatesWhatIsMissingAndKeepsWhatIsThere) {
  Graph g;
  const Expr w = g.parameter("w", {2}, values({1, 2}));
  Store<double> store;
  auto executable = compile<double>({w * 2}, {}, 1, store);
  store.set("w", std::vector<double>{5, 6});
  auto again = compile<double>({w * 2}, {}, 1, store);
  again.run();
  EXPECT_THAT(again.output().values, ElementsAre(10, 12));
}

TEST(StoreTest, ValuesCanBeReadAndWrittenBetweenRuns) {
  Graph g;
  const Expr w = g.parameter("w", {2});
  Store<double> store;
  auto executable = compile<double>({w * 2}, {{w, w + 1}}, 1, store);
  store.values("w")[1] = 7;
  executable.run();
  EXPECT_THAT(executable.output().values, ElementsAre(0, 14));
  EXPECT_THAT(values_of(store, "w"), ElementsAre(1, 8));
}

TEST(StoreTest, InitialValuesDependOnSeedAndNameAlone) {
  const auto seeds_of = [](std::uint64_t seed, const std::vector<std::string>& names) {
    Graph g;
    for (const std::string& name : names) g.parameter(name, {1}, write_seed);
    Store<double> store(seed);
    store.create(g);
    std::map<std::string, double> found;
    for (const std::string& name : names) found[name] = store.values(name)[0];
    return found;
  };
  const auto ab = seeds_of(1, {"a", "b"}), cba = seeds_of(1, {"c", "b", "a"}),
             other = seeds_of(2, {"a", "b"});
  EXPECT_NE(ab.at("a"), ab.at("b"));
  EXPECT_EQ(ab.at("a"), cba.at("a"));
  EXPECT_EQ(ab.at("b"), cba.at("b"));
  EXPECT_NE(ab.at("a"), other.at("a"));
}

TEST(StoreTest, CopiesAreTheSameStoreAndExecutablesKeepItAlive) {
  Graph g;
  const Expr w = g.parameter("w", {1}, values({1}));
  auto store = std::make_unique<Store<double>>();
  Store<double> copy = *store;
  auto executable = compile<double>({w}, {{w, w * 2}}, 1, *store);
  store.reset();
  executable.run();
  executable.run();
  EXPECT_THAT(values_of(copy, "w"), ElementsAre(4));
}

TEST(StoreTest, NamesWhatItDoesNotHave) {
  Store<double> store;
  EXPECT_EQ(error_of([&] { store.values("w"); }),
            "the store has no variable 'w'; it has: none (compile a graph first, or call create)");
  Graph g;
  g.parameter("w", {2});
  g.state("slot", {2});
  store.create(g);
  EXPECT_EQ(error_of([&] { store.values("x"); }), "the store has no variable 'x'; it has: w, slot");
  EXPECT_EQ(error_of([&] { store.extents("x"); }), "the store has no variable 'x'; it has: w, slot");
  EXPECT_EQ(error_of([&] { store.set("x", std::vector<double>{1}); }),
            "the store has no variable 'x'; it has: w, slot");
}

TEST(StoreTest, RefusesAnotherCountOrShape) {
  Graph g, other;
  g.parameter("w", {2, 3});
  const Expr w = other.parameter("w", {3, 2});
  Store<double> store;
  store.create(g);
  EXPECT_EQ(error_of([&] { store.set("w", std::vector<double>{1}); }),
            "'w' has shape [2, 3]: 6 values, not 1");
  const auto conflict = testing::MatchesRegex(
      "the store holds 'w' with shape .2, 3., made at store_test.cpp:[0-9]+, but the graph wants .3, 2. at "
      "store_test.cpp:[0-9]+; .*");
  EXPECT_THAT(error_of([&] { store.create(other); }), conflict);
  EXPECT_THAT(error_of([&] { compile<double>({w}, {}, 1, store); }), conflict);
}

// Least squares: the loss, and a step down.
struct Model {
  Graph g;
  Expr x = g.input("x", {B, 2}), y = g.input("y", {B, 1});
  Expr w = g.parameter("w", {2, 1}, values({0.5, -0.25}));
  Expr loss = mse(matmul(x, w), y);
  std::vector<Update> sgd{{w, w - 0.1 * grad(loss, w)}};
};

TEST(OneStore, ServesExecutablesOfRaggedBatchSizes) {
  // Seven samples, in batches of 3, 3 and 1.
  const std::vector<double> xs{1, 2, -1, 0.5, 2, 2, 0.25, -3, 1, 1, 0, 1, -2, 0.5},
      ys{1, 2, 3, -1, -2, 0.5, 1};
  Model m;
  Store<double> store;
  auto by_three = compile<double>({m.loss}, m.sgd, 3, store);
  auto by_one = compile<double>({m.loss}, m.sgd, 1, store);
  double w0 = 0.5, w1 = -0.25;
  for (int epoch = 0; epoch < 2; ++epoch)
    for (const std::size_t start : {0U, 3U, 6U}) {
      auto& executable = start == 6 ? by_one : by_three;
      const auto batch = static_cast<std::size_t>(executable.batch());
      executable.feed(m.x, std::span(xs).subspan(2 * start, 2 * batch));
      executable.feed(m.y, std::span(ys).subspan(start, batch));
      executable.run();
      double loss = 0, d0 = 0, d1 = 0;
      const auto n = static_cast<double>(batch);
      for (std::size_t i = start; i < start + batch; ++i) {
        const double error = xs[2 * i] * w0 + xs[2 * i + 1] * w1 - ys[i];
        loss += error * error / n;
        d0 += 2 * error * xs[2 * i] / n;
        d1 += 2 * error * xs[2 * i + 1] / n;
      }
      w0 -= 0.1 * d0;
      w1 -= 0.1 * d1;
      EXPECT_NEAR(executable.output().item(), loss, 1e-12);
      EXPECT_NEAR(store.values("w")[0], w0, 1e-12);
      EXPECT_NEAR(store.values("w")[1], w1, 1e-12);
    }
}

TEST(OneStore, ServesTwoGraphs) {
  Model training;
  Graph inference;
  const Expr x = inference.input("x", {B, 2});
  const Expr prediction = matmul(x, inference.parameter("w", {2, 1}));
  Store<double> store;
  auto train = compile<double>({}, training.sgd, 1, store);
  auto predict = compile<double>({prediction}, {}, 2, store);
  predict.feed(x, {1, 0, 0, 1});
  predict.run();
  EXPECT_THAT(predict.output().values, ElementsAre(0.5, -0.25)) << "the first graph's initializer";
  train.feed(training.x, {1, 2});
  train.feed(training.y, {3});
  train.run();
  predict.run();
  EXPECT_EQ(predict.output().values[0], store.values("w")[0]);
  EXPECT_EQ(predict.output().values[1], store.values("w")[1]);
  EXPECT_NEAR(store.values("w")[0], 0.5 + 0.2 * 3, 1e-12);
}

}  // namespace
}  // namespace gradus
