// fit, evaluate, callbacks, schedules, clipping, normalisation and metrics against Keras and PyTorch in
// double (tests/interop/training_figures.py).
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/nn/layers.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/runtime/executable.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/figures.hpp"
#include "tests/support/numbers.hpp"

namespace gradus {
namespace {

using test::Json;
using test::Numbers;

const Json& figures() { return test::figures("training"); }

Numbers pattern(std::size_t count, double scale = 1) {
  Numbers values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = scale * std::sin(1.0 + 12.9898 * static_cast<double>(i));
  return values;
}

// Keras rounds scores and schedules to single precision, weights never.
constexpr double single = 1e-7;

void expect_close(const Numbers& ours, const Json& expected, double tolerance = 1e-12) {
  test::expect_near(ours, test::flat(expected), tolerance, tolerance);
}

ModelDefinition dense_model(const Optimizer& optimizer) {
  return {.inputs = {{"x", {B, 2}}},
          .target = {"y", {B, 1}},
          .network =
              [](const std::vector<Expr>& in, Mode&) {
                const Expr h = tanh(linear(in[0], 3, "hidden", {.weights = values(pattern(6))}));
                return linear(h, 1, "output", {.weights = values(pattern(3))});
              },
          .loss = mse,
          .metrics = {mean_absolute_error()},
          .optimizer = optimizer};
}

const Dataset<double>& samples() {
  static const Dataset<double> data(11, {pattern(22, 1.5), pattern(11, 2)});
  return data;
}

const std::vector<std::string> dense_names{"hidden/W", "hidden/b", "output/W", "output/b"};

void expect_weights(Trainer<double>& trainer, const Json& expected,
                    const std::vector<std::string>& names = dense_names, double tolerance = 1e-12) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    SCOPED_TRACE(names[i]);
    const auto values = trainer.store().values(names[i]);
    expect_close(Numbers(values.begin(), values.end()), expected[i], tolerance);
  }
}

// The same training as the figure's.
History compare(const Json& figure, const Optimizer& optimizer, std::int64_t epochs, double split,
                const Callbacks& callbacks, double tolerance = 1e-12) {
  Trainer<double> trainer(dense_model(optimizer));
  const History history = trainer.fit(samples(), {.epochs = epochs,
                                                  .batch = 3,
                                                  .shuffle = false,
                                                  .validation_split = split,
                                                  .callbacks = callbacks,
                                                  .verbose = false});
  expect_close(history.of("loss"), figure["history"]["loss"], single);
  if (split > 0) expect_close(history.of("val_loss"), figure["history"]["val_loss"], single);
  expect_weights(trainer, figure["weights"], dense_names, tolerance);
  return history;
}

TEST(TrainingAsInKeras, FitsAndEvaluates) {
  const Json& figure = figures()["plain"];
  Trainer<double> trainer(dense_model(sgd({.rate = 0.05})));
  const History history = trainer.fit(
      samples(), {.epochs = 4, .batch = 3, .shuffle = false, .validation_split = 0.2, .verbose = false});
  EXPECT_EQ(history.steps, figure["steps"].get<std::int64_t>());
  const std::pair<const char*, const char*> names[] = {{"loss", "loss"},
                                                       {"mean_absolute_error", "mae"},
                                                       {"val_loss", "val_loss"},
                                                       {"val_mean_absolute_error", "val_mae"}};
  for (const auto& [ours, theirs] : names) expect_close(history.of(ours), figure["history"][theirs], single);
  expect_weights(trainer, figure["weights"]);
  expect_close(trainer.evaluate(samples(), 4).values, figure["evaluate"], single);
}

TEST(TrainingAsInKeras, StopsEarlyAndRestoresTheBest) {
  const auto stop = [](const char* figure, const EarlyStoppingOptions& options) {
    SCOPED_TRACE(figure);
    const History history = compare(figures()["early_stopping"][figure], sgd({.rate = 0.3, .momentum = 0.8}),
                                    40, 0.3, {early_stopping(options)});
    EXPECT_EQ(history.stopped, "val_loss has not improved since epoch 2");
  };
  stop("patience_3", {.patience = 3});
  stop("patience_0", {.patience = 0});
  stop("min_delta", {.min_delta = 0.05, .patience = 2});
}

TEST(TrainingAsInKeras, ReducesTheRateOnAPlateau) {
  const auto reduce = [](const char* name, const PlateauOptions& options) {
    SCOPED_TRACE(name);
    const Json& figure = figures()["plateau"][name];
    Numbers rates;
    const auto note = on_epoch_begin([&](Training& t) { rates.push_back(t.rate()); });
    compare(figure, sgd({.rate = 0.3, .momentum = 0.8}), 25, 0.3, {note, reduce_on_plateau(options)});
    // Keras notes the rate after the step of the callback that is in force in the epoch.
    expect_close(rates, figure["history"]["learning_rate"]);
  };
  reduce("plain", {.factor = 0.5, .patience = 2});
  reduce("cooldown", {.factor = 0.3, .patience = 1, .cooldown = 3, .min_rate = 0.02});
}

TEST(TrainingAsInKeras, ClipsAndDecays) {
  compare(figures()["clip"]["value"], sgd({.rate = 0.3}).clip_value(0.1), 5, 0, {});
  compare(figures()["clip"]["decay"], sgd({.rate = 0.3}).decay_weights(0.1), 5, 0, {});
}

TEST(TrainingAsInKeras, FollowsSchedules) {
  const auto course = [](const Schedule& rates) {
    Numbers values;
    for (std::int64_t step = 0; step < 25; ++step) values.push_back(rates(step));
    return values;
  };
  const Json& figure = figures()["schedules"];
  expect_close(course(step_decay(0.3, 4, 0.5)), figure["step"], single);
  expect_close(course(exponential_decay(0.3, 10, 0.6)), figure["exponential"], single);
  expect_close(course(cosine_decay(0.3, 15, 0.2)), figure["cosine"], single);
  const Schedule warm = warm_up(5, 0.05, cosine_decay(0.2, 12, 0.1));
  expect_close(course(warm), figure["warm_up"], single);
  compare(figures()["scheduled"], sgd(), 5, 0,
          {schedule(warm_up(5, 0, cosine_decay(0.2, 12, 0.1)), Every::step)}, single);
}

// Five steps through a normalisation layer, then predictions at inference.
void compare_normalization(const Json& figure, const std::vector<std::string>& names,
                           const std::function<Expr(const Expr&, Mode&)>& layer) {
  const ModelDefinition model{.inputs = {{"x", {B, 3}}},
                              .target = {"y", {B, 2}},
                              .network =
                                  [&](const std::vector<Expr>& in, Mode& mode) {
                                    return linear(layer(in[0], mode), 2, "output",
                                                  {.weights = values(pattern(6))});
                                  },
                              .loss = mse,
                              .optimizer = sgd({.rate = 0.1})};
  Trainer<double> trainer(model);
  Numbers gamma = pattern(3, 0.3), x = pattern(18, 2);
  for (double& v : gamma) v += 1;
  for (double& v : x) v += 3;
  trainer.store().set("norm/gamma", gamma);
  trainer.store().set("norm/beta", pattern(3, 0.2));
  const Dataset<double> data(6, {x, pattern(12)});
  const History history = trainer.fit(data, {.epochs = 5, .batch = 6, .shuffle = false, .verbose = false});
  expect_close(history.of("loss"), figure["history"]["loss"], single);
  expect_weights(trainer, figure["weights"], names);
  expect_close(trainer.predict(data, 4), figure["inference"]);
}

TEST(TrainingAsInPyTorch, NormalizesBatchesInTrainingAndByRunningMeansAtInference) {
  compare_normalization(
      figures()["batch_norm"],
      {"norm/gamma", "norm/beta", "norm/mean", "norm/variance", "output/W", "output/b"},
      [](const Expr& x, Mode& mode) { return batch_norm(x, "norm", mode, {.momentum = 0.8}); });
}

TEST(TrainingAsInPyTorch, NormalizesLayers) {
  compare_normalization(figures()["layer_norm"], {"norm/gamma", "norm/beta", "output/W", "output/b"},
                        [](const Expr& x, Mode&) { return layer_norm(x, "norm"); });
}

double measured(const Metric& metric, const Shape& shape, const Numbers& prediction,
                const Shape& target_shape, const Numbers& target) {
  Graph g;
  const Expr y = g.input("y", shape), t = g.input("t", target_shape);
  Store<double> store;
  auto program = compile<double>({metric.of(y, t)}, {}, shape[0].constant(), store);
  program.feed(y, prediction);
  program.feed(t, target);
  program.run();
  return program.output();
}

TEST(TrainingAsInKeras, Measures) {
  const Json& figure = figures()["metrics"];
  const Numbers logits = pattern(28, 3);
  Numbers one_hot(28), labels(7);
  for (std::size_t i = 0; i < 7; ++i) {
    labels[i] = static_cast<double>(i % 4);
    one_hot[4 * i + i % 4] = 1;
  }
  for (const Metric& metric : {accuracy(), top_k_accuracy(2), top_k_accuracy(3)}) {
    const double expected = figure[metric.name].get<double>();
    EXPECT_NEAR(measured(metric, {7, 4}, logits, {7, 4}, one_hot), expected, single) << metric.name;
    EXPECT_NEAR(measured(metric, {7, 4}, logits, {7}, labels), expected, single) << metric.name;
  }
  EXPECT_NEAR(measured(mean_absolute_error(), {7, 4}, logits, {7, 4}, one_hot),
              figure["mean_absolute_error"].get<double>(), 1e-6);
  Numbers binary = pattern(9), probabilities = pattern(9, 2.5);
  for (std::size_t i = 0; i < 9; ++i) {
    binary[i] = binary[i] > 0.1 ? 1 : 0;
    probabilities[i] = 1 / (1 + std::exp(-probabilities[i] * std::cos(static_cast<double>(i))));
  }
  EXPECT_NEAR(measured(binary_accuracy(), {9}, probabilities, {9}, binary),
              figure["binary_accuracy"].get<double>(), single);
}

}  // namespace
}  // namespace gradus
