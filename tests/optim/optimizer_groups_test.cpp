// Chains of transforms and parameter groups: two hundred steps against PyTorch's param_groups in double
// (tests/interop/optimizer_figures.py), what a frozen layer costs and keeps, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/nn/initializers.hpp"
#include "gradus/nn/layers.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/runtime/executable.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/figures.hpp"
#include "tests/support/graphs.hpp"

namespace gradus {
namespace {

using test::error_of;
using test::flat;
using test::Json;
using testing::AllOf;
using testing::HasSubstr;

const Json& figures() { return test::figures("optimizers")["net"]; }

const std::vector<std::string> names{"encoder/W", "encoder/b", "hidden/W",
                                     "hidden/b",  "output/W",  "output/b"};

// The network of the figures.
struct Net {
  Graph g;
  Expr x = g.constant({6, 3}, flat(figures()["x"])), t = g.constant({6, 2}, flat(figures()["t"]));
  Expr loss = mse(layer(tanh(layer(tanh(layer(x, 4, "encoder")), 4, "hidden")), 2, "output"), t);

  static Expr layer(const Expr& in, std::int64_t units, const std::string& name) {
    const Json& start = figures()["start"];
    return linear(in, units, name,
                  {.weights = values(flat(start[name + "/W"])), .bias = values(flat(start[name + "/b"]))});
  }
};

template <class T> std::vector<T> parameters_of(const Store<T>& store) {
  std::vector<T> all;
  for (const std::string& name : names) {
    const auto values = store.values(name);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

// The parameters after each of so many steps. `before` is called before a step, with its number from 0.
template <class T = double>
std::vector<std::vector<T>> course(const Optimizer& optimizer, int steps = 5,
                                   const std::function<void(Store<T>&, int)>& before = {}) {
  Net net;
  Store<T> store;
  auto program = compile<T>({net.loss}, optimizer(net.loss), 1, store);
  std::vector<std::vector<T>> all;
  for (int step = 0; step < steps; ++step) {
    if (before) before(store, step);
    program.run();
    all.push_back(parameters_of(store));
  }
  return all;
}

AdamOptions adam_at(double rate) {
  return {.rate = rate, .epsilon = 1e-8, .epsilon_form = AdamOptions::Epsilon::pytorch};
}

// The encoder is frozen, biases do not decay and have a rate of their own, so has the output.
Optimizer adamw_groups(const std::function<Optimizer(const Optimizer&)>& of_biases = {}) {
  const Optimizer biases = adam(adam_at(0.03)).named("biases");
  return groups({{"encoder/*", frozen()},
                 {"*/b", of_biases ? of_biases(biases) : biases},
                 {"output/W", adamw({adam_at(0.05), 0.1}).named("output")},
                 {"*", adamw({adam_at(0.01), 0.1})}});
}

Optimizer three_rules() {
  return groups({{"encoder/?", sgd({.rate = 0.02, .momentum = 0.9})},
                 {"hidden*", rmsprop({.rate = 0.005})},
                 {"output/*", adam(adam_at(0.01)).l2_penalty(0.05)}});
}

Optimizer sgd_l2() {
  return groups({{"*b", sgd({.rate = 0.2}).named("biases")}, {"*W", sgd({.rate = 0.1}).l2_penalty(0.02)}});
}

void expect_figures(const char* name, const std::vector<std::vector<double>>& ours) {
  SCOPED_TRACE(name);
  const int noted[] = {1, 2, 5, 20, 100, 200};
  const Json& rows = figures()["steps"][name];
  ASSERT_EQ(rows.size(), std::size(noted));
  double worst = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto expected = flat(rows[row]);
    const auto& at = ours[static_cast<std::size_t>(noted[row] - 1)];
    ASSERT_EQ(at.size(), expected.size());
    for (std::size_t i = 0; i < at.size(); ++i) {
      const double error = std::abs(at[i] - expected[i]);
      EXPECT_FALSE(!(error <= 1e-12)) << "step " << noted[row] << " entry " << i;
      worst = std::max(worst, error);
    }
  }
  testing::Test::RecordProperty(name, std::to_string(worst * 1e15) + "e-15");
}

TEST(OptimizerGroups, TakePyTorchsSteps) {
  expect_figures("adamw_frozen", course(adamw_groups(), 200));
  expect_figures("adamw_frozen_clip_norm_of_all", course(adamw_groups().clip_norm(0.3), 200));
  expect_figures("adamw_frozen_clip_norm_of_biases",
                 course(adamw_groups([](const Optimizer& biases) { return biases.clip_norm(0.1); }), 200));
  expect_figures("three_rules", course(three_rules(), 200));
  expect_figures("three_rules_clip_norm_of_all", course(three_rules().clip_norm(0.2), 200));
  expect_figures("sgd_l2", course(sgd_l2(), 200));
  expect_figures("sgd_l2_norm_then_value", course(sgd_l2().clip_norm(0.4).clip_value(0.1), 200));
  expect_figures("sgd_l2_value_then_norm", course(sgd_l2().clip_value(0.1).clip_norm(0.4), 200));
}

TEST(OptimizerGroups, FollowAScheduleAsInPyTorch) {
  const Optimizer optimizer = adamw_groups();
  const auto set = [&](Store<double>& store, int step) {
    for (const LearningRate& rate : optimizer.rates())
      store.set(rate.state, std::vector{rate.initial * std::pow(0.99, step)});
  };
  expect_figures("adamw_frozen_scheduled", course<double>(optimizer, 200, set));
}

// One group of everything is no other training than the optimizer alone, in both precisions.
template <class T> void expect_same_bits() {
  const Optimizer plain = adamw({adam_at(0.02), 0.1});
  const auto expected = course<T>(plain.clip_norm(0.1).clip_value(0.05), 20);
  EXPECT_EQ(expected, course<T>(groups({{"*", plain.clip_norm(0.1).clip_value(0.05)}}), 20));
  EXPECT_EQ(expected, course<T>(groups({{"*", plain}}).clip_norm(0.1).clip_value(0.05), 20));
  EXPECT_EQ(expected, course<T>(groups({{"*", groups({{"*", plain.clip_value(0.05)}})}}).clip_norm(0.1), 20));
  const Optimizer split = groups({{"hidden/*", plain.named("a")}, {"*", plain.named("b")}});
  EXPECT_EQ(expected, course<T>(split.clip_norm(0.1).clip_value(0.05), 20));
}

TEST(OptimizerGroups, OfOneOptimizerAreThatOptimizerBitForBit) {
  expect_same_bits<float>();
  expect_same_bits<double>();
}

template <class T> void expect_frozen(const Optimizer& optimizer) {
  const auto rows = course<T>(optimizer, 20);
  const auto start = course<T>(sgd({.rate = 0}), 1).front();
  for (std::size_t i = 0; i < start.size(); ++i)
    EXPECT_EQ(rows.back()[i] == start[i], i < 16) << i;  // the encoder's 12 and 4, and no other
}

TEST(OptimizerFrozen, KeepsItsBitsUnderWeightDecayAndClipping) {
  const auto wrapped = [](const Optimizer& rest) {
    return groups({{"encoder/*", frozen()}, {"*", rest}}).clip_norm(1);
  };
  expect_frozen<float>(adamw_groups());
  expect_frozen<double>(adamw_groups().clip_norm(0.1));
  expect_frozen<float>(wrapped(adamw({adam_at(0.1), 0.5})));
  expect_frozen<double>(wrapped(sgd({.rate = 0.1}).l2_penalty(0.5)));
}

TEST(OptimizerFrozen, CostsNeitherSlotsNorGradients) {
  const auto cost = [](const Optimizer& optimizer) {
    Net net;
    Store<double> store;
    const auto program = compile<double>({net.loss}, optimizer(net.loss), 1, store);
    return std::pair(store.names(), test::op_counts(program).at("matmul"));
  };
  const auto [all, products] = cost(adam());
  const auto [some, fewer] = cost(groups({{"encoder/*", frozen()}, {"*", adam()}}));
  EXPECT_EQ(all.size(), names.size() + 2 + 2 * names.size());  // rate, step, m and v
  EXPECT_EQ(some.size(), names.size() + 2 + 2 * (names.size() - 2));
  for (const std::string& name : some)
    EXPECT_FALSE(name.ends_with("/encoder/W") || name.ends_with("/encoder/b"));
  EXPECT_EQ(products, 3 + 3 + 2);  // forward, of the weights, of what lies between
  EXPECT_EQ(fewer, 3 + 2 + 1);
}

// Gradients that are handed over for frozen parameters are not looked at: NaN in them would spoil the norm.
TEST(OptimizerFrozen, CountsInNoNorm) {
  Graph g;
  const Expr a = g.parameter("a", {2}, constant(1)), b = g.parameter("b", {2}, constant(1));
  const auto updates = groups({{"a", frozen()}, {"b", sgd({.rate = 1})}})
                           .clip_norm(5)({a, b}, {g.constant({2}, {NAN, NAN}), g.constant({2}, {6, 8})});
  ASSERT_EQ(updates.size(), 1U);
  Store<double> store;
  auto program = compile<double>({}, updates, 1, store);
  program.run();
  EXPECT_THAT(store.values("b"), testing::ElementsAre(-2, -3));
}

TEST(OptimizerChain, IsAppliedInTheOrderWritten) {
  const auto step = [](const Optimizer& optimizer) {
    Graph g;
    const Expr w = g.parameter("w", {2}, constant(2));
    Store<double> store;
    auto program = compile<double>({}, optimizer({w}, {g.constant({2}, {3, 4})}), 1, store);
    program.run();
    const auto values = store.values("w");
    return std::vector(values.begin(), values.end());
  };
  const Optimizer plain = sgd({.rate = 1});
  const auto halved = [](StepValues& values) {
    for (Expr& g : values.gradients) g = g * 0.5;
  };
  using testing::ElementsAre;
  EXPECT_THAT(step(plain.clip_norm(2.5).clip_value(1.75)), ElementsAre(0.5, 0.25));
  EXPECT_THAT(step(plain.clip_value(3).clip_norm(std::sqrt(4.5))),
              ElementsAre(testing::DoubleEq(0.5), testing::DoubleEq(0.5)));
  EXPECT_THAT(step(plain.clip_value(2).transform(halved)), ElementsAre(1, 1));
  EXPECT_THAT(step(plain.transform(halved).clip_value(2)), ElementsAre(0.5, 0));
  EXPECT_THAT(step(plain.l2_penalty(0.5).clip_value(3.5)), ElementsAre(-1.5, -1.5));
  EXPECT_THAT(step(plain.clip_value(3.5).l2_penalty(0.5)), ElementsAre(-2, -2.5));
  // Decay is of the weights before the step, and each link sees what the ones before it left.
  EXPECT_THAT(step(plain.decay_weights(0.5)), ElementsAre(-2, -3));
  EXPECT_THAT(step(plain.decay_weights(0.5).decay_weights(0.5)), ElementsAre(-2.5, -3.5));
  EXPECT_THAT(step(plain.decay_weights(0.5).l2_penalty(0.5)), ElementsAre(-2.5, -3.5));
  EXPECT_THAT(step(plain.l2_penalty(0.5).decay_weights(0.5)), ElementsAre(-3, -4));
}

// Gradient centralization (H. Yong et al. 2020) as a transform of one's own.
TEST(OptimizerChain, TakesTransformsOfOnesOwn) {
  const Optimizer centralized = sgd({.rate = 0.1}).transform([](StepValues& values) {
    for (Expr& g : values.gradients)
      if (g.shape().rank() > 1) g = g - mean(g, {0});
  });
  const auto start = course(sgd({.rate = 0}), 1).front(), after = course(centralized, 1).front();
  for (std::size_t column = 0; column < 4; ++column) {  // of encoder/W [3, 4]
    double moved = 0;
    for (std::size_t row = 0; row < 3; ++row) moved += after[4 * row + column] - start[4 * row + column];
    EXPECT_NEAR(moved, 0, 1e-15);
  }
  EXPECT_NE(after, start);
}

TEST(OptimizerNames, LetTwoOfAKindShareAGraph) {
  Net net;
  const auto of = [&](const char* name) { return net.g.find(name); };
  const std::vector<Expr> first{of("encoder/W"), of("encoder/b")};
  const std::vector<Expr> second{of("hidden/W"), of("hidden/b"), of("output/W"), of("output/b")};
  auto updates = adam({.rate = 0.1})(first, grad(net.loss, first));
  EXPECT_THAT(
      error_of([&] { adam()(second, grad(net.loss, second)); }),
      AllOf(HasSubstr("adam at HERE: the graph has a 'adam/rate' already"), HasSubstr("with .named(\"…\")")));
  const auto more = adam({.rate = 0.2}).named("late")(second, grad(net.loss, second));
  updates.insert(updates.end(), more.begin(), more.end());
  Store<double> store;
  auto program = compile<double>({}, updates, 1, store);
  for (int i = 0; i < 5; ++i) program.run();
  EXPECT_EQ(store.values("adam/rate")[0], 0.1);
  EXPECT_EQ(store.values("late/rate")[0], 0.2);
  EXPECT_EQ(
      parameters_of(store),
      course(groups({{"encoder/*", adam({.rate = 0.1})}, {"*", adam({.rate = 0.2}).named("late")}})).back());
}

TEST(OptimizerNames, TellTheRatesOfGroups) {
  const auto rates = adamw_groups().rates();
  ASSERT_EQ(rates.size(), 3U);
  EXPECT_EQ(rates[0].state, "biases/rate");
  EXPECT_EQ(rates[1].initial, 0.05);
  EXPECT_EQ(rates[2].state, "adam/rate");
  EXPECT_EQ(adamw_groups().rate_name(), "");
  EXPECT_EQ(groups({{"a", frozen()}, {"*", adam()}, {"b", rprop()}}).rate_name(), "adam/rate");
}

TEST(OptimizerPatterns, DecideByTheFirstMatch) {
  const auto trains = [](const char* pattern, const std::string& name) {
    Graph g;
    const Expr w = g.parameter(name, {}), other = g.parameter("z", {});
    const Optimizer optimizer = groups({{pattern, sgd()}, {"*", frozen()}});
    return error_of([&] { optimizer({w, other}, {w, other}); }) == "no error";
  };
  for (const auto& [pattern, name] : std::vector<std::pair<const char*, const char*>>{{"a/b", "a/b"},
                                                                                      {"a/*", "a/b/c"},
                                                                                      {"*/b", "a/0/b"},
                                                                                      {"a*b*c", "aXbYbc"},
                                                                                      {"?/W", "a/W"},
                                                                                      {"*a?", "baac"},
                                                                                      {"**W", "W"},
                                                                                      {"a/W*", "a/W"}})
    EXPECT_TRUE(trains(pattern, name)) << pattern << " " << name;
  for (const auto& [pattern, name] : std::vector<std::pair<const char*, const char*>>{{"a/b", "a/bc"},
                                                                                      {"a/?", "a/"},
                                                                                      {"*/b", "a/b/c"},
                                                                                      {"a", "A"},
                                                                                      {"", "a"},
                                                                                      {"a*b", "a"},
                                                                                      {"a[b]", "ab"},
                                                                                      {"??", "a"}})
    EXPECT_FALSE(trains(pattern, name)) << pattern << " " << name;
}

TEST(OptimizerGroups, AreRefusedWithTheRemedy) {
  Net net;
  EXPECT_THAT(error_of([&] {
                groups({{"encodr/*", frozen()}, {"*", sgd()}})(net.loss);
              }),
              AllOf(HasSubstr("groups at HERE: the pattern 'encodr/*' decides no parameter"),
                    HasSubstr("encoder/W, encoder/b, hidden/W")));
  EXPECT_THAT(error_of([&] {
                groups({{"*", sgd()}, {"*/b", frozen()}})(net.loss);
              }),
              HasSubstr("the pattern '*/b' decides no parameter"));
  EXPECT_THAT(error_of([&] {
                groups({{"*/W", sgd()}, {"hidden/*", frozen()}})(net.loss);
              }),
              AllOf(HasSubstr("groups at HERE: no pattern matches the parameter 'encoder/b'; there are: */W"),
                    HasSubstr("{\"*\", frozen()}")));
  EXPECT_THAT(error_of([] { groups({}); }), HasSubstr("groups at HERE: there is no group"));
  EXPECT_THAT(error_of([] {
                groups({{"a", adam()}, {"*", adamw()}});
              }),
              HasSubstr("groups at HERE: two of the optimizers are named 'adam'"));
  EXPECT_THAT(error_of([] {
                groups({{"*", adam()}}).decay_weights(0.1);
              }),
              HasSubstr("it has none of its own; give the decay to the optimizers within"));
  EXPECT_THAT(error_of([] {
                groups({{"*", adam()}}).named("all");
              }),
              HasSubstr("no states to be kept under 'all'; name the optimizers within"));
  EXPECT_THAT(error_of([&] { groups({{"*", frozen()}})(net.loss); }), HasSubstr("there is nothing to train"));
  EXPECT_THAT(error_of([&] { sgd()(std::vector<Expr>{}, {}); }),
              HasSubstr("sgd at HERE: there is nothing to train"));
  EXPECT_THAT(error_of([] { sgd().named(""); }), HasSubstr("sgd at HERE: its name is to be empty"));
  EXPECT_THAT(error_of([] { sgd().l2_penalty(-1); }), HasSubstr("sgd at HERE: the decay of l2_penalty"));
  EXPECT_THAT(error_of([] { sgd().transform(nullptr); }), HasSubstr("the transform is an empty function"));
  const auto broken = [&](const Optimizer::Transform& transform) {
    Net own;
    return error_of([&] { sgd().named("own").transform(transform)(own.loss); });
  };
  EXPECT_THAT(broken([](StepValues& values) { values.gradients.pop_back(); }),
              HasSubstr("own at HERE: after a transform there are 5 gradients of 6"));
  EXPECT_THAT(broken([](StepValues& values) { values.gradients[1] = 0; }),
              HasSubstr("own at HERE: after a transform the gradients hold a bare number for encoder/b [4]"));
  EXPECT_THAT(broken([](StepValues& values) { values.parameters[0] = sum(values.parameters[0]); }),
              HasSubstr("after a transform the parameters hold [] for encoder/W [3, 4]"));
}

}  // namespace
}  // namespace gradus
