// A store that has been used before: what a second graph asks for is used or refused, never overlooked; reset
// and drop; layers whose state each step must update.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gradus/gradus.hpp"
#include "gradus/optim/optimizers.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/evaluate.hpp"

namespace gradus {
namespace {

using test::error_of;
using test::values_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// (w − 1)², from w = 0.
struct Model {
  Graph g;
  Expr w = g.parameter("w", {});
  Expr loss = square(w - 1);
};

using Make = Optimizer (*)(double rate);
struct Case {
  const char* name;
  Make make;
};
std::vector<Case> optimizers_with_settings() {
  return {{"sgd", [](double rate) { return sgd({.rate = rate}); }},
          {"momentum", [](double rate) { return sgd({.rate = rate, .momentum = 0.9}); }},
          {"adam", [](double rate) { return adam({.rate = rate}); }},
          {"adamw",
           [](double rate) {
             return adamw({{.rate = rate}, 0.1});
           }},
          {"nadam", [](double rate) { return nadam({.rate = rate}); }},
          {"rmsprop", [](double rate) { return rmsprop({.rate = rate}); }},
          {"adagrad", [](double rate) { return adagrad({.rate = rate}); }},
          {"rprop", [](double rate) { return rprop({.initial_step = rate}); }},
          {"groups", [](double rate) {
             return groups({{"*", sgd({.rate = rate}).named("all")}});
           }}};
}

template <class T> void train(Store<T>& store, const Optimizer& optimizer, int steps) {
  Model m;
  auto step = compile<T>({m.loss}, optimizer(m.loss), 1, store);
  for (int i = 0; i < steps; ++i) step.run();
}

// Every optimizer, used before with one rate: another is refused, after drop it is as in a new store, and the
// same one goes on as one graph would.
template <class T> class UsedStore : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(UsedStore, Precisions);

TYPED_TEST(UsedStore, NeverTrainsWithAnotherRateThanAskedFor) {
  using T = TypeParam;
  for (const Case& one : optimizers_with_settings()) {
    Store<T> store, fresh, whole;
    train(store, one.make(0.1), 3);
    const std::string error = error_of([&] { train(store, one.make(0.001), 1); });
    EXPECT_THAT(error, AllOf(HasSubstr("the store holds the state '"), HasSubstr("store_owner_test.cpp:"),
                             HasSubstr("the graph asks for 0.001")))
        << one.name;
    train(store, one.make(0.1), 2);
    train(whole, one.make(0.1), 5);
    EXPECT_EQ(values_of(store, "w"), values_of(whole, "w")) << one.name;
    store.drop("");
    train(store, one.make(0.001), 2);
    train(fresh, one.make(0.001), 2);
    EXPECT_EQ(values_of(store, "w"), values_of(fresh, "w")) << one.name;
  }
}

TYPED_TEST(UsedStore, TakesARateThatIsSetBefore) {
  using T = TypeParam;
  Store<T> store;
  train(store, sgd({.rate = 0.1}), 1);
  const T before = store.values("w")[0];
  store.set("sgd/rate", {0.001});
  train(store, sgd({.rate = 0.001}), 1);
  EXPECT_NEAR(store.values("w")[0], before - 0.001 * 2 * (before - 1), 1e-6);
  // A rate that was lowered is not what the first graph's like asks for again.
  EXPECT_THAT(error_of([&] { train(store, sgd({.rate = 0.1}), 1); }), HasSubstr("the graph asks for 0.1"));
  train(store, sgd({.rate = 0.1}).named("second"), 1);
}

TEST(UsedStoreTest, ServesOneGraphForAnyBatchWhateverItsRateIsSetTo) {
  Model m;
  const auto updates = sgd(m.loss, {.rate = 0.1});
  Store<double> store;
  for (const std::int64_t batch : {1, 2, 3}) {
    compile<double>({m.loss}, updates, batch, store).run();
    store.set("sgd/rate", {0.1 / static_cast<double>(batch + 1)});
  }
  EXPECT_NEAR(values_of(store, "w")[0], 1 - 0.8 * 0.9 * (1 - 0.2 / 3), 1e-12);
}

TEST(UsedStoreTest, KnowsTheGraphsThatItHasAccepted) {
  Model one, two;
  const auto first = sgd(one.loss, {.rate = 0.1}), second = sgd(two.loss, {.rate = 0.1});
  Store<double> store;
  compile<double>({}, first, 1, store).run();
  compile<double>({}, second, 1, store).run();
  store.set("sgd/rate", {0.5});
  compile<double>({}, first, 2, store).run();
  compile<double>({}, second, 2, store).run();
  EXPECT_DOUBLE_EQ(values_of(store, "w")[0], 1);
}

TEST(UsedStoreTest, RefusesAStateThatWouldStartInAnotherWay) {
  const auto create = [](Store<double>& store, double start) {
    Graph g;
    g.state("count", {2}, values({0, start}));
    store.create(g);
  };
  Store<double> store;
  create(store, 1);
  store.set("count", {5, 6});
  create(store, 1);
  EXPECT_THAT(values_of(store, "count"), ElementsAre(5, 6)) << "it goes on";
  EXPECT_THAT(error_of([&] { create(store, 2); }),
              AllOf(HasSubstr("'count'"), HasSubstr("entry 0 of it is 5, but the graph asks for 0")));
  store.set("count", {0, 2});
  create(store, 2);
}

TEST(ResetAndDrop, AreByPrefix) {
  Graph g;
  const Expr a = g.parameter("encoder/W", {2}, values({1, 2})), b = g.parameter("head/W", {1}, constant(3));
  Store<double> store;
  auto step = compile<double>({}, {{a, a + 1}, {b, b + 1}}, 1, store);
  step.run();
  store.reset("encoder/");
  EXPECT_THAT(values_of(store, "encoder/W"), ElementsAre(1, 2));
  EXPECT_THAT(values_of(store, "head/W"), ElementsAre(4));
  step.run();
  EXPECT_THAT(values_of(store, "encoder/W"), ElementsAre(2, 3)) << "programs go on with what was reset";
  store.drop("head");
  EXPECT_THAT(store.names(), ElementsAre("encoder/W"));
  step.run();  // on memory of its own
  store.create(g);
  EXPECT_THAT(values_of(store, "head/W"), ElementsAre(3));
  EXPECT_THAT(values_of(store, "encoder/W"), ElementsAre(3, 4));
  for (const std::string prefix : {"W", "encoders", "head/W/x"}) {
    const std::string expected =
        "the store has no variable whose name begins with '" + prefix + "'; it has: encoder/W, head/W";
    EXPECT_EQ(error_of([&] { store.reset(prefix); }), expected);
    EXPECT_EQ(error_of([&] { store.drop(prefix); }), expected);
  }
  store.reset("");
  EXPECT_THAT(values_of(store, "encoder/W"), ElementsAre(1, 2));
}

// A name that others begin with.
TEST(ResetAndDrop, TakeANameForItselfWhereThereIsOne) {
  Graph g;
  Store<double> store;
  g.parameter("w", {1}, constant(1));
  g.parameter("w2", {1}, constant(2));
  store.create(g);
  store.set("w", {5});
  store.set("w2", {6});
  store.reset("w");
  EXPECT_THAT(values_of(store, "w"), ElementsAre(1));
  EXPECT_THAT(values_of(store, "w2"), ElementsAre(6));
  store.drop("w");
  EXPECT_THAT(store.names(), ElementsAre("w2"));
  store.reset("w");
  EXPECT_THAT(values_of(store, "w2"), ElementsAre(2));
}

TEST(Set, TakesBraces) {
  Graph g;
  g.parameter("w", {2, 2});
  g.parameter("s", {});
  Store<float> store;
  store.create(g);
  store.set("w", {1, 2, 3, 4});
  store.set("s", {0.5});
  EXPECT_THAT(values_of(store, "w"), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(error_of([&] { store.set("w", {1, 2}); }), "'w' has shape [2, 2]: 4 values, not 2");
}

// A layer with state, and a step of one's own that leaves out its updates.
TEST(RequiredUpdates, AreNotLeftOut) {
  Graph g;
  Mode mode(Mode::training);
  const Expr x = g.input("x", {B, 4});
  const Expr y = dropout(x, 0.5, "drop", mode), w = g.parameter("w", {4});
  const Expr loss = sum(square(y * w - x));
  auto updates = sgd(loss);
  Store<float> store;
  const auto refused =
      AllOf(HasSubstr("'random/generator'"), HasSubstr("store_owner_test.cpp:"), HasSubstr("mode.updates()"));
  EXPECT_THAT(error_of([&] { compile<float>({loss}, updates, 3, store); }), refused);
  EXPECT_THAT(error_of([&] { compile<float>({}, updates, 3, store); }), refused);
  EXPECT_THAT(error_of([&] { compile<float>({y}, {}, 3, store); }), refused) << "one mask for ever";
  compile<float>({y}, {}, 3, store, {.same_draws = true});
  compile<float>({y}, mode.updates(), 3, store);
  compile<float>({x * 2}, {}, 3, store);
  updates.insert(updates.end(), mode.updates().begin(), mode.updates().end());
  compile<float>({loss}, updates, 3, store);
}

TEST(RequiredUpdates, AreThoseOfRunningMeans) {
  Graph g;
  Mode mode(Mode::training);
  const Expr loss = sum(batch_norm(g.input("x", {B, 4}), "norm", mode));
  Store<float> store;
  EXPECT_THAT(error_of([&] { compile<float>({loss}, sgd(loss), 3, store); }), HasSubstr("'norm/mean'"));
  compile<float>({loss}, {}, 3, store);
}

TEST(Dropout, OfOneNameTwiceIsRefused) {
  Graph g, other;
  Mode mode(Mode::training), inference(Mode::inference), again(Mode::training);
  const Expr x = g.input("x", {B, 4});
  dropout(x, 0.5, "drop", mode);
  EXPECT_THAT(error_of([&] { dropout(x * 2, 0.25, "drop", mode); }),
              AllOf(HasSubstr("dropout 'drop' at HERE"), HasSubstr("the layer at store_owner_test.cpp:"),
                    HasSubstr("a name of its own")));
  dropout(x, 0.5, "other", mode);
  dropout(x, 0.5, "drop", inference);
  dropout(x, 0.5, "drop", inference);
  dropout(other.input("x", {B, 4}), 0.5, "drop", again);
  // Two modes in one graph would share the generator's count.
  Mode second(Mode::training);
  EXPECT_THAT(error_of([&] { dropout(x, 0.5, "third", second); }), HasSubstr("'random/generator' is taken"));
}

}  // namespace
}  // namespace gradus
