// Resuming with other options: a rate is used and said, all else is refused.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gradus/base/random.hpp"
#include "gradus/data/tensor_file.hpp"
#include "gradus/gradus.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/train/run.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

struct Options {
  double dropped = 0.1;
  bool with_relu = false;
  double start = 1;
  bool with_huge_loss = false;
  Optimizer optimizer = sgd({.rate = 0.1, .momentum = 0.5});
};

ModelDefinition model(const Options& options = {}) {
  const auto loss = [=](Arg y, Arg t) { return options.with_huge_loss ? 2 * mse(y, t) : mse(y, t); };
  return {.inputs = {{"x", {B, 3}}},
          .target = {"t", {B, 1}},
          .network =
              [=](const std::vector<Expr>& in, Mode& mode) {
                const Expr h = linear(in[0], 4, "hidden", {.weights = normal(0, options.start)});
                return linear(dropout(options.with_relu ? relu(h) : tanh(h), options.dropped, "drop", mode),
                              1, "out");
              },
          .loss = loss,
          .optimizer = options.optimizer};
}

std::vector<std::vector<double>> numbers(std::int64_t count = 20) {
  Random random(3);
  std::vector<std::vector<double>> all{std::vector<double>(static_cast<std::size_t>(count) * 3),
                                       std::vector<double>(static_cast<std::size_t>(count))};
  for (auto& tensor : all)
    for (double& v : tensor) v = random.normal();
  return all;
}
Dataset<float> data() { return {20, numbers()}; }

FitOptions<float> two_epochs(Callbacks callbacks = {}) {
  return {
      .epochs = 2, .batch = 8, .validation_split = 0.2, .callbacks = std::move(callbacks), .verbose = false};
}

class Resume : public test::FolderTest {
 protected:
  void make(const Options& options = {}, const FitOptions<float>& fit = two_epochs()) const {
    Trainer<float> trainer(model(options), 1);
    trainer.fit(data(), fit);
    trainer.save_checkpoint(file("c"));
  }
  std::string error(const Options& options, const FitOptions<float>& fit = two_epochs(),
                    const Dataset<float>& samples = data()) const {
    return error_of([&] {
      Trainer<float> trainer(model(options), 1);
      trainer.resume(file("c"));
      auto longer = fit;
      longer.epochs = 4;
      trainer.fit(samples, longer);
    });
  }
};

TEST_F(Resume, RefusesAnotherModelOrOptimizer) {
  make();
  EXPECT_EQ(error({}), "no error");
  const auto node = AllOf(HasSubstr("is the first node that differs"), HasSubstr("resume_options_test.cpp:"));
  EXPECT_THAT(error({.dropped = 0.2}), node);
  EXPECT_THAT(error({.with_relu = true}), node);
  EXPECT_THAT(error({.with_huge_loss = true}), node);
  EXPECT_THAT(error({.optimizer = sgd({.rate = 0.1, .momentum = 0.6})}), node);
  EXPECT_THAT(error({.optimizer = sgd({.rate = 0.1, .momentum = 0.5, .nesterov = true})}), node);
  EXPECT_THAT(error({.optimizer = sgd({.rate = 0.1, .momentum = 0.5}).clip_norm(1)}), node);
  EXPECT_THAT(error({.optimizer = sgd({.rate = 0.1, .momentum = 0.5}).l2_penalty(0.1)}), node);
  EXPECT_THAT(error({.start = 0.5}), HasSubstr("'hidden/W' started with other values"));
}

TEST_F(Resume, RefusesStatesThatWouldHaveStartedInAnotherWay) {
  make({.optimizer = rprop({.initial_step = 0.01})});
  EXPECT_EQ(error({.optimizer = rprop({.initial_step = 0.01})}), "no error");
  EXPECT_THAT(error({.optimizer = rprop({.initial_step = 0.02})}), HasSubstr("started with other values"));
}

TEST_F(Resume, RefusesOtherDataOfTheSameSizeAndOtherUses) {
  make();
  for (const std::size_t tensor : {0U, 1U})
    for (const std::size_t entry : {0U, 7U, 19U}) {
      auto changed = numbers();
      changed[tensor][entry] += 1e-9;
      EXPECT_THAT(error({}, two_epochs(), {20, changed}), HasSubstr("other data"));
    }
  auto swapped = numbers();
  std::swap(swapped[1][3], swapped[1][4]);
  EXPECT_THAT(error({}, two_epochs(), {20, swapped}), HasSubstr("other data"));
  auto options = two_epochs();
  options.drop_last = true;
  EXPECT_THAT(error({}, options), HasSubstr("drop_last"));
  options = two_epochs();
  options.validation_split = 0.19;  // the same number of samples
  EXPECT_THAT(error({}, options), HasSubstr("validation"));
  options = two_epochs();
  options.shuffle = false;
  EXPECT_THAT(error({}, options), HasSubstr("unshuffled"));
}

TEST_F(Resume, RefusesOtherValidationData) {
  auto options = two_epochs();
  options.validation_split = 0;
  options.validation = data();
  make({}, options);
  EXPECT_EQ(error({}, options), "no error");
  options.validation = Dataset<float>(20, {numbers()[0], std::vector<double>(20, 1)});
  EXPECT_THAT(error({}, options), HasSubstr("validation"));
}

TEST_F(Resume, RefusesOtherCallbacks) {
  const auto with = [](std::shared_ptr<Callback> callback) { return two_epochs({std::move(callback)}); };
  make({}, with(early_stopping({.patience = 5})));
  EXPECT_EQ(error({}, with(early_stopping({.patience = 5}))), "no error");
  const auto other = HasSubstr("the options of early_stopping are not those");
  EXPECT_THAT(error({}, with(early_stopping({.patience = 6}))), other);
  EXPECT_THAT(error({}, with(early_stopping({.monitor = "loss", .patience = 5}))), other);
  EXPECT_THAT(error({}, with(early_stopping({.min_delta = 1, .patience = 5}))), other);
  EXPECT_THAT(error({}, with(early_stopping({.patience = 5, .restore_best = false}))), other);
  EXPECT_THAT(error({}), HasSubstr("'early_stopping' in place 1, which there is not"));
  make({}, with(reduce_on_plateau({.patience = 5})));
  EXPECT_EQ(error({}, with(reduce_on_plateau({.patience = 5}))), "no error");
  EXPECT_THAT(error({}, with(reduce_on_plateau({.factor = 0.2, .patience = 5}))),
              HasSubstr("the options of reduce"));
  EXPECT_THAT(error({}, with(reduce_on_plateau({.patience = 5, .cooldown = 1}))),
              HasSubstr("the options of reduce"));
}

TEST_F(Resume, UsesAnotherRateAndSaysSo) {
  make();
  Trainer<float> trainer(model({.optimizer = sgd({.rate = 0.025, .momentum = 0.5})}), 1);
  trainer.resume(file("c"));
  EXPECT_EQ(trainer.store().values("sgd/rate")[0], 0.025F);
  std::string printed;
  auto options = two_epochs({progress_bar({.print = [&](auto text) { printed += text; }, .live = false})});
  options.epochs = 3;
  const History history = trainer.fit(data(), options);
  EXPECT_THAT(history.remarks,
              ElementsAre("'sgd/rate' is 0.025, as asked for; the training that is resumed began with 0.1"));
  EXPECT_THAT(printed, HasSubstr("Note: 'sgd/rate' is 0.025"));
  EXPECT_EQ(trainer.store().values("sgd/rate")[0], 0.025F);
  EXPECT_EQ(trainer.fit(data(), two_epochs()).remarks.size(), 0U) << "said once";
}

TEST_F(Resume, UsesTheRatesOfGroupsThatDiffer) {
  const auto two = [](double first, double second) {
    return groups({{"*/W", sgd({.rate = first})}, {"*", sgd({.rate = second}).named("rest")}});
  };
  make({.optimizer = two(0.1, 0.2)});
  Trainer<float> trainer(model({.optimizer = two(0.1, 0.3)}), 1);
  trainer.resume(file("c"));
  EXPECT_EQ(trainer.store().values("sgd/rate")[0], 0.1F);
  EXPECT_EQ(trainer.store().values("rest/rate")[0], 0.3F);
  EXPECT_THAT(trainer.fit(data(), two_epochs()).remarks, ElementsAre(HasSubstr("'rest/rate' is 0.3")));
}

// A rate that a callback has changed is the checkpoint's, where the definition's is the same.
TEST_F(Resume, KeepsARateThatACallbackHasLowered) {
  make({}, two_epochs({on_epoch_end([](Training& training) { training.set_rate(0.05); })}));
  Trainer<float> trainer(model(), 1);
  trainer.resume(file("c"));
  EXPECT_EQ(trainer.store().values("sgd/rate")[0], 0.05F);
}

// What a program was asked for, beside what the model and the data show.
TEST_F(Resume, NamesEachOptionOfTheProgramThatDiffers) {
  TrainingFiles files{
      .weights = file("w"), .checkpoint = file("c"), .options = {{"units", "4"}, {"mood", "\xE9"}}};
  Trainer<double> trainer(model(), 1);
  trainer.notes()["options"] = "of the user's";
  const auto fit = [&](Trainer<double>& any, std::int64_t epochs) {
    return error_of([&] {
      run_training(any, Dataset<double>(20, numbers()), {.epochs = epochs, .batch = 8, .verbose = false},
                   files);
    });
  };
  ASSERT_EQ(fit(trainer, 2), "no error");
  EXPECT_THAT(TensorFile(file("c")).metadata(), testing::Contains(testing::Key("training/options")));
  EXPECT_THAT(TensorFile(file("w")).metadata(),
              testing::Not(testing::Contains(testing::Key("training/options"))))
      << "of checkpoints alone";
  EXPECT_EQ(trainer.notes(), (std::map<std::string, std::string>{{"options", "of the user's"}}));

  files.resume = true;
  const auto resumed = [&](std::map<std::string, std::string> options) {
    files.options = std::move(options);
    Trainer<double> next(model(), 1);
    return fit(next, 3);
  };
  EXPECT_EQ(
      resumed({{"units", "5"}, {"mood", "\xE8"}}),
      fmt::format("checkpoint '{}': it was made with other options: mood \\xe9, not \\xe8; units 4, not "
                  "5; resume with the same",
                  file("c")));
  EXPECT_EQ(resumed({{"units", "4"}, {"mood", "\xE9"}, {"new", "1"}}), "no error");
  EXPECT_EQ(resumed({}), "no error");

  // A training that fails leaves no note behind; and one whose checkpoint has none is resumed.
  files = {.checkpoint = file("none"), .options = {{"units", "4"}}};
  Options huge;
  huge.optimizer = sgd({.rate = 1e300});
  Trainer<double> failing(model(huge), 1);
  EXPECT_NE(fit(failing, 2), "no error");
  EXPECT_TRUE(failing.notes().empty());
}

TEST_F(Resume, RefusesDamagedOptionsOfTheProgram) {
  TrainingFiles files{.checkpoint = file("c"), .resume = true, .options = {{"units", "4"}}};
  for (const std::string text : {"{", "[1]", R"({"units": 4})", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}) {
    Trainer<double> trainer(model(), 1);
    trainer.notes()["training/options"] = text;
    trainer.save_checkpoint(file("c"));
    Trainer<double> next(model(), 1);
    EXPECT_THAT(
        error_of([&] { run_training(next, Dataset<double>(20, numbers()), {.verbose = false}, files); }),
        AllOf(HasSubstr(file("c")), HasSubstr("its options are damaged"),
              HasSubstr("begin the training anew")));
  }
}

}  // namespace
}  // namespace gradus
