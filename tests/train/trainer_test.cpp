// Training: what is the same for the same seed, where a NaN began, what a checkpoint refuses, what is
// printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradus/base/random.hpp"
#include "gradus/data/tensor_file.hpp"
#include "gradus/gradus.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using test::all_values;
using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

ModelDefinition model(double dropped = 0.25) {
  return {.inputs = {{"x", {B, 4}}},
          .target = {"t", {B, 3}},
          .network =
              [=](const std::vector<Expr>& in, Mode& mode) {
                const Expr h = batch_norm(linear(in[0], 8, "hidden"), "norm", mode);
                return linear(dropout(relu(h), dropped, "drop", mode), 3, "output");
              },
          .loss = cross_entropy,
          .metrics = {accuracy()}};
}

template <class T = float> Dataset<T> data(std::int64_t count = 50) {
  Random random(1);
  std::vector<double> x(static_cast<std::size_t>(count) * 4), t(static_cast<std::size_t>(count) * 3);
  for (double& v : x) v = random.normal();
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
    t[3 * i + (x[4 * i] > 0.4 ? 0 : x[4 * i + 1] > 0 ? 1 : 2)] = 1;
  return {count, {x, t}};
}

template <class T = float> FitOptions<T> quiet(FitOptions<T> options) {
  options.verbose = false;
  return options;
}

TEST(Fit, GivesTheSameBitsForTheSameSeedAndOthersForAnother) {
  const auto trained = [](std::uint64_t seed) {
    Trainer<float> trainer(model(), seed);
    trainer.fit(data(), quiet<float>({.epochs = 3, .batch = 16, .validation_split = 0.2}));
    return all_values(trainer.store());
  };
  EXPECT_EQ(trained(1), trained(1));
  EXPECT_NE(trained(1), trained(2));
}

TEST(Fit, LearnsAndReportsAsKerasDoes) {
  Trainer<float> trainer(model(0), 1);
  const History history =
      trainer.fit(data(203), quiet<float>({.epochs = 40, .batch = 16, .validation_split = 0.1}));
  EXPECT_EQ(history.names, (std::vector<std::string>{"loss", "accuracy", "val_loss", "val_accuracy"}));
  EXPECT_EQ(history.epochs.size(), 40U);
  EXPECT_EQ(history.samples, 182);  // ⌊203 · 0.9⌋
  EXPECT_EQ(history.validation, 21);
  EXPECT_EQ(history.steps, 12);
  const auto json = nlohmann::json::parse(history.json());
  EXPECT_EQ(json["params"]["last_batch"], 6);
  EXPECT_EQ(json["history"]["val_accuracy"].size(), 40U);
  EXPECT_GT(history.of("val_accuracy").back(), 0.8);
  EXPECT_LT(history.of("loss").back(), history.of("loss").front() / 2);
  EXPECT_THAT(history.csv(), testing::StartsWith("epoch,loss,accuracy,val_loss,val_accuracy\n0,"));
  EXPECT_THAT(error_of([&] { history.of("val_los"); }), HasSubstr("no score 'val_los'; there are: loss"));
}

// The order of the samples is another one each epoch, and no step sees the validation part.
TEST(Fit, ShufflesTheTrainingPartAlone) {
  std::vector<std::vector<std::uint32_t>> seen;
  const Dataset<float> all = data(20);
  const Dataset<float> spied(20,
                             [&](std::span<const std::uint32_t> rows, std::span<const std::span<float>> to) {
                               seen.emplace_back(rows.begin(), rows.end());
                               all.fill(rows, to);
                             });
  Trainer<float> trainer(model(), 1);
  trainer.fit(spied, quiet<float>({.epochs = 2, .batch = 16, .validation_split = 0.2}));
  ASSERT_EQ(seen.size(), 4U);  // 16 of training, 4 of validation, twice
  EXPECT_EQ(seen[1], (std::vector<std::uint32_t>{16, 17, 18, 19}));
  EXPECT_NE(seen[0], seen[2]);
  for (auto rows : {seen[0], seen[2]}) {
    std::ranges::sort(rows);
    for (std::uint32_t i = 0; i < 16; ++i) EXPECT_EQ(rows[i], i);
  }
}

TEST(Fit, RefusesWhatMakesNoSense) {
  Trainer<float> trainer(model(), 1);
  const auto error = [&](const FitOptions<float>& options) {
    return error_of([&] { trainer.fit(data(), quiet(options)); });
  };
  EXPECT_THAT(error({.epochs = 0}), HasSubstr("epochs is 0"));
  EXPECT_THAT(error({.batch = 0}), HasSubstr("batch is 0"));
  EXPECT_THAT(error({.validation_split = 1}), HasSubstr("validation_split is 1"));
  EXPECT_THAT(error({.validation_split = NAN}), HasSubstr("validation_split is nan"));
  EXPECT_THAT(error({.validation_split = 0.99}), HasSubstr("leaves 0 of 50 samples"));
  EXPECT_THAT(error({.validation_split = 0.5, .validation = data()}), HasSubstr("give one of both"));
  EXPECT_THAT(error({.callbacks = {early_stopping()}}), HasSubstr("no score 'val_loss'"));
  EXPECT_THAT(error_of([] { Dataset<float>(0, std::vector<std::vector<double>>{}); }), HasSubstr("not 0"));
  EXPECT_THAT(error_of([] { Dataset<float>(2, {{1, 2, 3}}); }), HasSubstr("tensor 0 has 3 numbers"));
  EXPECT_THAT(error_of([&] {
                trainer.fit(Dataset<float>(2, {{1, 2}, {1, 2}}), quiet<float>({}));
              }),
              HasSubstr("the model wants 4"));
  EXPECT_THAT(error_of([&] {
                trainer.fit(Dataset<float>(1, {{1, 2, 3, 4}}), quiet<float>({}));
              }),
              HasSubstr("but the model is fed 2: x [B, 4], t [B, 3]"));
  ModelDefinition no_scalar = model();
  no_scalar.loss = [](Arg y, Arg t) { return y.expr - t.expr; };
  EXPECT_THAT(error_of([&] { Trainer<float>{no_scalar}; }), HasSubstr("must be a scalar"));
  ModelDefinition rprop_model = model();
  rprop_model.optimizer = rprop();
  EXPECT_THAT(
      error_of([&] {
        Trainer<float>(rprop_model).fit(data(), quiet<float>({.callbacks = {schedule(step_decay(1, 1, 1))}}));
      }),
      HasSubstr("no learning rate"));
}

TEST(Predict, IsAtInferenceForAnyCount) {
  Trainer<float> trainer(model(), 1);
  trainer.fit(data(), quiet<float>({.epochs = 2}));
  const auto whole = trainer.predict(data(), 50), parts = trainer.predict(data(), 7);
  ASSERT_EQ(whole.size(), 150U);
  EXPECT_EQ(whole, trainer.predict(data(), 50));  // no dropout
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(whole[i], parts[i], 1e-5);
  EXPECT_NEAR(trainer.evaluate(data(), 50).at("loss"), trainer.evaluate(data(), 7).at("loss"), 1e-6);
}

// The mean of 0/1 draws stays within five standard deviations; each step draws anew, the same for the same
// seed.
TEST(Dropout, DropsTheShareThatIsAskedFor) {
  constexpr std::int64_t n = 1000;
  constexpr double rate = 0.3;
  const auto draw = [&](std::uint64_t seed, int steps) {
    Graph g;
    Mode mode(Mode::training);
    const Expr x = g.input("x", {B, n});
    const Expr y = dropout(x, rate, "drop", mode), other = dropout(x, rate, "other", mode);
    Store<float> store(seed);
    auto program = compile<float>({y, other, grad(sum(y), x)}, mode.updates(), 100, store);
    program.feed(x, std::vector<float>(100 * n, 1));
    std::vector<std::vector<float>> drawn;
    for (int i = 0; i < steps; ++i) {
      program.run();
      for (std::size_t k = 0; k < 3; ++k) {
        const auto values = program.output(k).values;
        drawn.emplace_back(values.begin(), values.end());
      }
    }
    return drawn;
  };
  const auto first = draw(1, 2);
  for (const auto& values : first) {
    double kept = 0;
    for (const float v : values) {
      EXPECT_TRUE(v == 0 || v == 1 / (1 - static_cast<float>(rate)));
      kept += v > 0 ? 1 : 0;
    }
    const double count = 100.0 * n;
    EXPECT_NEAR(kept / count, 1 - rate, 5 * std::sqrt(rate * (1 - rate) / count));
  }
  EXPECT_EQ(first[0], first[2]) << "the gradient passes where the value does";
  EXPECT_NE(first[0], first[1]) << "layers draw apart";
  EXPECT_NE(first[0], first[3]) << "steps draw apart";
  EXPECT_EQ(first, draw(1, 2));
  EXPECT_NE(first, draw(2, 2));
}

TEST(Dropout, CountsStepsWithoutEnd) {
  Graph g;
  Mode mode(Mode::training);
  const Expr y = dropout(g.input("x", {8}), 0.5, "drop", mode);
  Store<float> store;
  auto program = compile<float>({y}, mode.updates(), 1, store);
  program.feed("x", std::vector<float>(8, 1));
  constexpr double limb = 1 << 24;
  store.set("random/generator", std::vector{5.0, 6.0, limb - 1, limb - 3});
  program.run();
  const auto state = store.values("random/generator");
  EXPECT_EQ(std::vector<float>(state.begin(), state.end()),
            (std::vector<float>{5, 6, 0, static_cast<float>(limb) - 2}));
  program.run();
  EXPECT_EQ(state[3], 0);
  EXPECT_EQ(state[2], 1);
}

TEST(Dropout, IsNothingAtInferenceAndRefusesRatesOutside) {
  Graph g;
  Mode inference(Mode::inference), training(Mode::training);
  const Expr x = g.input("x", {B, 2});
  EXPECT_TRUE(dropout(x, 0.5, "a", inference).same_as(x));
  EXPECT_TRUE(dropout(x, 0, "a", training).same_as(x));
  EXPECT_THAT(error_of([&] { dropout(x, 1, "a", training); }),
              AllOf(HasSubstr("dropout 'a' at HERE"), HasSubstr("[0, 1)"), HasSubstr("x [B, 2]")));
  EXPECT_THAT(error_of([&] { batch_norm(g.input("s", {}), "b", training); }), HasSubstr("batch_norm 'b'"));
  EXPECT_THAT(error_of([&] { layer_norm(x, "l", {.epsilon = -1}); }), HasSubstr("epsilon"));
}

// log of what a step drives below 0: the parameter goes wrong one step before the loss does.
TEST(StopOnNan, NamesTheNodeAndKeepsTheWeightsBefore) {
  ModelDefinition definition{.inputs = {{"x", {B, 1}}},
                             .target = {"t", {B, 1}},
                             .network =
                                 [](const std::vector<Expr>& in, Mode&) {
                                   const Expr w = in[0].graph().parameter("w", {1}, constant(1));
                                   return in[0] * log(named(w, "weight"));
                                 },
                             .loss = [](Arg y, Arg t) { return mean(y.expr - t.expr); },
                             .optimizer = sgd({.rate = 0.2})};
  Trainer<double> trainer(definition);
  const Dataset<double> ones(4, {{1, 1, 1, 1}, {0, 0, 0, 0}});
  const History history =
      trainer.fit(ones, quiet<double>({.epochs = 9, .batch = 1, .callbacks = {stop_on_nan()}}));
  EXPECT_TRUE(history.failed);
  EXPECT_THAT(history.stopped, AllOf(HasSubstr("log#"), HasSubstr("trainer_test.cpp:"),
                                     HasSubstr("is the first that is not finite")));
  EXPECT_TRUE(std::isfinite(trainer.store().values("w")[0]));
  EXPECT_LT(history.epochs.size(), 9U);
}

TEST(StopOnNan, FindsWhatOnlyOverflowsInSinglePrecision) {
  ModelDefinition definition{
      .inputs = {{"x", {B, 1}}},
      .target = {"t", {B, 1}},
      .network = [](const std::vector<Expr>& in,
                    Mode&) { return linear(in[0], 1, "only", {.weights = constant(1), .has_bias = false}); },
      .loss = mse,
      .optimizer = sgd({.rate = 1e6})};
  Trainer<float> trainer(definition);
  const Dataset<float> ones(2, {{1, 1}, {0, 0}});
  const History history = trainer.fit(
      ones, quiet<float>({.epochs = 40, .batch = 1, .shuffle = false, .callbacks = {stop_on_nan()}}));
  EXPECT_TRUE(history.failed);
  EXPECT_THAT(history.stopped, AllOf(HasSubstr("epoch "), HasSubstr("square#")));
}

using Files = test::FolderTest;

TEST_F(Files, ResumingGivesTheSameBitsFromAnyStep) {
  const FitOptions<float> options{.epochs = 3, .batch = 16, .validation_split = 0.1};
  Trainer<float> whole(model(), 1);
  const History expected = whole.fit(data(), quiet(options));
  for (std::int64_t stop_at = 1; stop_at <= 9; ++stop_at) {
    class StopAt final : public Callback {
     public:
      explicit StopAt(std::int64_t step) : left_(step) {}
      bool wants_steps() const override { return true; }
      void on_step_end(Training& training) override {
        if (--left_ == 0) training.stop("enough");
      }

     private:
      std::int64_t left_;
    };
    auto stopped = options;
    stopped.callbacks = {std::make_shared<StopAt>(stop_at)};
    Trainer<float> first(model(), 1);
    first.fit(data(), quiet(stopped));
    first.save_checkpoint(file("c"));
    Trainer<float> second(model(), 1);
    second.resume(file("c"));
    const History resumed = second.fit(data(), quiet(options));
    EXPECT_EQ(all_values(second.store()), all_values(whole.store())) << "stopped after step " << stop_at;
    EXPECT_EQ(resumed.epochs, expected.epochs);
  }
}

TEST_F(Files, WeightsComeBackInEitherPrecisionWithNotes) {
  Trainer<float> trainer(model(), 1);
  trainer.fit(data(), quiet<float>({.epochs = 1}));
  trainer.notes()["recipe"] = "two eggs";
  trainer.save_weights(file("w"));
  EXPECT_EQ(TensorFile(file("w")).metadata().at("recipe"), "two eggs");
  EXPECT_EQ(TensorFile(file("w")).find("adam/step"), nullptr);
  Trainer<float> again(model(), 2);
  again.load_weights(file("w"));
  EXPECT_EQ(trainer.predict(data()), again.predict(data()));
  Trainer<double> precise(model(), 3);
  precise.load_weights(file("w"));
  EXPECT_NEAR(precise.predict(data<double>())[0], trainer.predict(data())[0], 1e-5);
}

TEST_F(Files, ACheckpointOfAnotherTrainingIsRefusedAndChangesNothing) {
  Trainer<float> trainer(model(), 1);
  trainer.fit(data(), quiet<float>({.epochs = 1, .callbacks = {checkpoint(file("c{epoch}"))}}));
  ASSERT_TRUE(fs::exists(file("c1")));
  trainer.save_weights(file("w"));
  const auto refused = [&](Trainer<float>& other, const std::string& path, const std::string& message) {
    const auto before = all_values(other.store());
    EXPECT_THAT(error_of([&] { other.resume(path); }), HasSubstr(message));
    EXPECT_EQ(all_values(other.store()), before);
  };
  Trainer<float> seed(model(), 2);
  refused(seed, file("c1"), "made with seed 1, not 2");
  refused(trainer, file("w"), "no checkpoint of a training");
  refused(trainer, file("none"), "there is no such file");
  ModelDefinition momentum = model();
  momentum.optimizer = sgd({.momentum = 0.9});
  Trainer<float> other(momentum, 1);
  refused(other, file("c1"), "there is no tensor 'sgd/rate'");
  ModelDefinition wide = model();
  wide.network = [](const std::vector<Expr>& in, Mode&) { return linear(in[0], 3, "hidden"); };
  Trainer<float> wider(wide, 1);
  refused(wider, file("c1"), "tensor 'hidden/W' is [4, 8], but the model's is [4, 3]");
  Trainer<double> precise(model(), 1);
  EXPECT_THAT(error_of([&] { precise.resume(file("c1")); }), HasSubstr("single precision"));
  Trainer<float> resumed(model(), 1);
  resumed.resume(file("c1"));
  EXPECT_THAT(error_of([&] { resumed.fit(data(), quiet<float>({.epochs = 2, .batch = 5})); }),
              HasSubstr("batches of 32"));
  EXPECT_THAT(
      error_of([&] { resumed.fit(data(), quiet<float>({.epochs = 2, .callbacks = {reduce_on_plateau()}})); }),
      HasSubstr("no callback 'reduce_on_plateau' in place 1"));
}

TEST_F(Files, APositionInACheckpointIsOfWholeNumbers) {
  Trainer<float> trainer(model(), 1);
  trainer.fit(data(), quiet<float>({.epochs = 1}));
  trainer.save_checkpoint(file("c"));
  const TensorFile good(file("c"));
  const auto resumed_with = [&](const std::string& key, const std::string& value) {
    auto metadata = good.metadata();
    auto position = nlohmann::json::parse(metadata.at("training"));
    position.at(key) = nlohmann::json::parse(value);
    metadata["training"] = position.dump();
    write_tensors(file("d"), good.tensors(), metadata);
    return error_of([&] { Trainer<float>(model(), 1).resume(file("d")); });
  };
  EXPECT_EQ(resumed_with("epoch", "1"), "no error");
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"epoch", "1e+40"}, {"step", "-1"}, {"batch", "0"}, {"seed", "1.5"}, {"drawn", "\"7\""}})
    EXPECT_THAT(resumed_with(key, value),
                AllOf(HasSubstr("its position cannot be read (expected a whole number"), HasSubstr(value),
                      HasSubstr("it is damaged")));
}

TEST_F(Files, TheBestWeightsAreKept) {
  Trainer<float> trainer(model(0), 1);
  const History history = trainer.fit(
      data(), quiet<float>({.epochs = 30, .validation_split = 0.4, .callbacks = {save_best(file("best"))}}));
  const auto losses = history.of("val_loss");
  trainer.load_weights(file("best"));
  const Dataset<float> all = data();
  const Dataset<float> last(20,
                            [&](std::span<const std::uint32_t> rows, std::span<const std::span<float>> to) {
                              std::vector<std::uint32_t> moved(rows.begin(), rows.end());
                              for (auto& row : moved) row += 30;
                              all.fill(moved, to);
                            });
  EXPECT_NEAR(trainer.evaluate(last).at("loss"), *std::ranges::min_element(losses), 1e-6);
}

TEST(Summary, CountsParameters) {
  Trainer<float> trainer(model(), 1);
  EXPECT_EQ(trainer.summary(),
            "layer   shape     parameters\n"
            "----------------------------\n"
            "x       [B, 4]             0\n"
            "hidden  [B, 8]            40\n"
            "norm    [B, 8]            32\n"
            "output  [B, 3]            27\n"
            "----------------------------\n"
            "parameters: 99 (83 trained, 16 not); optimizer and generator: 172\n");
}

TEST(Progress, IsALinePerEpochWhereLinesStayAndABarWhereTheyDoNot) {
  const auto shown = [](bool live) {
    std::string text;
    Trainer<float> trainer(model(), 1);
    trainer.fit(
        data(),
        quiet<float>({.epochs = 2,
                      .batch = 16,
                      .validation_split = 0.2,
                      .callbacks = {progress_bar({.print = [&](auto t) { text += t; }, .live = live})}}));
    return text;
  };
  EXPECT_THAT(shown(false), testing::MatchesRegex(
                                "Epoch 1/2\n3/3 \\[={20}\\] [0-9.]+s \\+ [0-9.]+s [0-9]+[um]s/step - loss: "
                                "[0-9.]+ - accuracy: [0-9.]+ - val_loss: [0-9.]+ - val_accuracy: [0-9.]+\n"
                                "Epoch 2/2\n3/3 [^\n]*\n"));
  EXPECT_THAT(shown(true),
              AllOf(HasSubstr("\r\x1b[K1/3 [======>.............] ETA "), HasSubstr("- loss: ")));
}

}  // namespace
}  // namespace gradus
