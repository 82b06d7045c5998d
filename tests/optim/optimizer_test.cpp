// Twenty steps of every optimizer, clipping and weight decay against PyTorch and Keras in double
// (tests/interop/optimizer_figures.py), and what their settings refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/nn/initializers.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/runtime/executable.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/figures.hpp"

namespace gradus {
namespace {

using test::flat;
using test::Json;

const Json& figures() { return test::figures("optimizers"); }

// The two parameters and the loss of the figures.
struct Descent {
  Graph g;
  Expr w = parameter("w"), m = parameter("m");
  Expr loss = part("w", w) + part("m", m);

  Expr parameter(const char* name) {
    const Json& start = figures()["start"][name];
    const Shape shape = start[0].is_array() ? Shape{2, 2} : Shape{3};
    return g.parameter(name, shape, values(flat(start)));
  }
  Expr part(const char* name, const Expr& p) {
    const Extents extents = p.shape().resolve(1);
    const Expr centre = g.constant(extents, flat(figures()["centres"][name]));
    const Expr weight = g.constant(extents, flat(figures()["weights"][name]));
    return sum(weight * square(centre - p)) + sum(tanh(3 * p));
  }
};

struct Case {
  const char* name;
  Optimizer optimizer;
};

const std::vector<Case>& cases() {
  using Epsilon = AdamOptions::Epsilon;
  static const std::vector<Case> all{
      {"sgd", sgd({.rate = 0.05})},
      {"sgd_momentum", sgd({.rate = 0.02, .momentum = 0.9})},
      {"sgd_nesterov", sgd({.rate = 0.02, .momentum = 0.9, .nesterov = true})},
      {"sgd_keras_momentum", sgd({.rate = 0.02, .momentum = 0.9})},
      {"adam_pytorch", adam({.rate = 0.1, .epsilon = 1e-3, .epsilon_form = Epsilon::pytorch})},
      {"adam_keras", adam({.rate = 0.1, .epsilon = 1e-3})},
      {"adamw", adamw({{.rate = 0.1, .epsilon = 1e-8, .epsilon_form = Epsilon::pytorch}, 0.2})},
      {"adamw_keras", adamw({{.rate = 0.1}, 0.2})},
      {"nadam", nadam({.rate = 0.05})},
      {"rmsprop", rmsprop({.rate = 0.05})},
      {"rmsprop_momentum_centered",
       rmsprop({.rate = 0.01, .smoothing = 0.9, .momentum = 0.8, .centered = true})},
      {"adagrad", adagrad({.rate = 0.5, .initial = 0.1})},
      {"rprop", rprop({.initial_step = 0.1})},
      {"sgd_clip_value", sgd({.rate = 0.05}).clip_value(1.5)},
      {"sgd_clip_norm", sgd({.rate = 0.05}).clip_norm(2)},
      {"sgd_weight_decay", sgd({.rate = 0.05}).decay_weights(0.3)}};
  return all;
}

class Optimizers : public testing::TestWithParam<Case> {};

TEST_P(Optimizers, TakeTheReferencesSteps) {
  Descent d;
  Store<double> store;
  auto step = compile<double>({}, GetParam().optimizer(d.loss), 1, store);
  const Json& rows = figures()["steps"][GetParam().name];
  ASSERT_EQ(rows.size(), 20U);
  double worst = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    step.run();
    const auto expected = flat(rows[i]);
    std::vector<double> ours;
    for (const char* name : {"w", "m"})
      for (const double v : store.values(name)) ours.push_back(v);
    ASSERT_EQ(ours.size(), expected.size());
    for (std::size_t k = 0; k < ours.size(); ++k) {
      const double error = std::abs(ours[k] - expected[k]);
      EXPECT_FALSE(!(error <= 1e-12))
          << "step " << i + 1 << " entry " << k << ": " << ours[k] << " instead of " << expected[k];
      worst = std::max(worst, error);
    }
  }
  RecordProperty("worst_error", std::to_string(worst * 1e15) + "e-15");
}

INSTANTIATE_TEST_SUITE_P(All, Optimizers, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

TEST(OptimizerReferences, HaveACaseEach) {
  std::size_t known = 0;
  for (const auto& [name, rows] : figures()["steps"].items())
    known += std::ranges::count_if(cases(), [&wanted = name](const Case& c) { return c.name == wanted; }) == 1
                 ? 1
                 : 0;
  EXPECT_EQ(known, figures()["steps"].size());
  EXPECT_EQ(known, cases().size());
}

// A limit that no gradient reaches leaves every bit as it is.
TEST(Clipping, IsOffUnlessAskedForAndIdleBelowItsLimit) {
  const auto after = [](const Optimizer& optimizer) {
    Descent d;
    Store<double> store;
    auto step = compile<double>({}, optimizer(d.loss), 1, store);
    for (int i = 0; i < 5; ++i) step.run();
    const auto w = store.values("w");
    return std::vector<double>(w.begin(), w.end());
  };
  const auto plain = after(sgd({.rate = 0.05}));
  EXPECT_EQ(plain, after(sgd({.rate = 0.05}).clip_value(1e6)));
  EXPECT_EQ(plain, after(sgd({.rate = 0.05}).clip_norm(1e6)));
  EXPECT_NE(plain, after(sgd({.rate = 0.05}).clip_norm(1)));
}

TEST(OptimizerRate, IsAStateThatASetChanges) {
  Descent d;
  Store<double> store;
  const Optimizer optimizer = nadam();
  auto step = compile<double>({}, optimizer(d.loss), 1, store);
  store.set(optimizer.rate_name(), std::vector{0.0});
  step.run();
  EXPECT_EQ(store.values("w")[0], 0.5);
  EXPECT_EQ(rprop().rate_name(), "");
}

TEST(OptimizerSettings, AreRefusedByName) {
  using testing::HasSubstr;
  EXPECT_THAT(test::error_of([] { sgd({.rate = NAN}); }),
              HasSubstr("sgd at HERE: the learning rate, which must be finite and not negative, is nan"));
  EXPECT_THAT(test::error_of([] { sgd({.momentum = 1}); }), HasSubstr("sgd at HERE: the momentum"));
  EXPECT_THAT(test::error_of([] { adam({.beta1 = -0.1}); }), HasSubstr("adam at HERE: beta1"));
  EXPECT_THAT(test::error_of([] { nadam({.beta2 = 1}); }), HasSubstr("nadam at HERE: beta2"));
  EXPECT_THAT(test::error_of([] { rmsprop({.smoothing = 2}); }), HasSubstr("rmsprop at HERE: the smoothing"));
  EXPECT_THAT(test::error_of([] { adagrad({.initial = -1}); }),
              HasSubstr("adagrad at HERE: the initial sum"));
  EXPECT_THAT(test::error_of([] { rprop({.increase = 0.5}); }), HasSubstr("rprop at HERE: the increase"));
  EXPECT_THAT(test::error_of([] { sgd().clip_value(0); }), HasSubstr("clip_value"));
  EXPECT_THAT(test::error_of([] { sgd().clip_norm(-1); }), HasSubstr("clip_norm"));
  EXPECT_THAT(test::error_of([] { sgd().decay_weights(NAN); }), HasSubstr("weight decay"));
  EXPECT_THAT(test::error_of([] { rprop().decay_weights(0.1); }), HasSubstr("rprop at HERE: weight decay"));
}

}  // namespace
}  // namespace gradus
