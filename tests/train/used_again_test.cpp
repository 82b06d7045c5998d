// What has been used before behaves as new: callbacks, trainers and data sets, one after the other, in folds
// and one fit within another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <regex>
#include <stdexcept>

#include "gradus/base/random.hpp"
#include "gradus/gradus.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using testing::HasSubstr;

ModelDefinition model() {
  return {.inputs = {{"x", {B, 3}}},
          .target = {"t", {B, 1}},
          .network =
              [](const std::vector<Expr>& in, Mode& mode) {
                return linear(dropout(tanh(linear(in[0], 4, "hidden")), 0.1, "drop", mode), 1, "output");
              },
          .loss = mse,
          .optimizer = sgd({.rate = 0.3})};
}

Dataset<float> data(std::uint64_t seed, std::int64_t count = 30) {
  Random random(seed);
  std::vector<double> x(static_cast<std::size_t>(count) * 3), t(static_cast<std::size_t>(count));
  for (double& v : x) v = random.normal();
  for (std::size_t i = 0; i < t.size(); ++i) t[i] = x[3 * i] + 0.3 * random.normal();
  return {count, {x, t}};
}

// Everything that a fit leaves: values, history, files and what was printed, but for the times in it.
struct Left {
  std::map<std::string, std::vector<float>> values;
  std::vector<std::vector<double>> epochs;
  std::string stopped;
  std::map<std::string, std::string> files;
  std::string printed;
  bool operator==(const Left&) const = default;
};

class UsedAgain : public test::FolderTest {
 protected:
  using Make = std::function<std::shared_ptr<Callback>()>;

  // Every callback that the library has, with options that make it do something in a few epochs.
  std::map<std::string, Make> makers() {
    return {
        {"early_stopping", [] { return early_stopping({.monitor = "loss", .patience = 2}); }},
        {"plateau",
         [] { return reduce_on_plateau({.monitor = "loss", .factor = 0.2, .patience = 1, .cooldown = 1}); }},
        {"save_best", [this] { return save_best(file("out/best"), {.monitor = "loss"}); }},
        {"csv_log", [this] { return csv_log(file("out/log.csv")); }},
        {"checkpoint",
         [this] { return checkpoint(file("out/c{epoch}"), {.every_epochs = 2, .every_steps = 3}); }},
        {"schedule", [] { return schedule(step_decay(0.2, 2, 0.5)); }},
        {"step_schedule", [] { return schedule(warm_up(5, 0, cosine_decay(0.2, 20)), Every::step); }},
        {"progress",
         [this] { return progress_bar({.print = [this](auto text) { printed_ += text; }, .live = true}); }},
        {"stop_on_nan", [] { return stop_on_nan(); }},
        {"skip_on_nan", [] { return stop_on_nan({.then = OnNan::skip_step, .most = 3}); }},
        {"on_epoch_begin",
         [] {
           return on_epoch_begin([n = 0](Training& training) mutable { training.set_rate(0.3 / ++n); });
         }},
        {"on_epoch_end", [] {
           return on_epoch_end([n = 0](Training& training) mutable {
             if (++n == 4) training.stop("four epochs");
           });
         }}};
  }

  static FitOptions<float> options(Callbacks callbacks) {
    return {.epochs = 8, .batch = 8, .callbacks = std::move(callbacks), .verbose = false};
  }

  Left left_by(Trainer<float>& trainer, const Dataset<float>& samples, Callbacks callbacks) {
    fs::remove_all(folder_ / "out");
    fs::create_directory(folder_ / "out");
    printed_.clear();
    const History history = trainer.fit(samples, options(std::move(callbacks)));
    Left left{{}, history.epochs, history.stopped, {}, {}};
    for (const std::string& name : trainer.store().names()) {
      const auto values = trainer.store().values(name);
      left.values[name].assign(values.begin(), values.end());
    }
    for (const auto& entry : fs::directory_iterator(folder_ / "out"))
      left.files[entry.path().filename()] = read("out/" + entry.path().filename().string());
    // How often lines are printed depends on the time.
    const std::regex live("\r[^\n\r]*(?=\r)"), times("[0-9.]+[umh:0-9]*s(/step)?");
    left.printed = std::regex_replace(std::regex_replace(printed_, live, ""), times, "T");
    return left;
  }

  std::string printed_;
};

// Each pair of callbacks, used by one fit and then by another one of other data, against new ones.
TEST_F(UsedAgain, EveryPairOfCallbacksIsAsNew) {
  const auto all = makers();
  for (const auto& [a, make_a] : all)
    for (const auto& [b, make_b] : all) {
      const Callbacks used{make_a(), make_b()};
      Trainer<float> before(model(), 1), again(model(), 2), fresh(model(), 2);
      left_by(before, data(1), used);
      EXPECT_EQ(left_by(again, data(2), used), left_by(fresh, data(2), {make_a(), make_b()}))
          << a << " and " << b;
    }
}

// One object in two places of a list is two callbacks.
TEST_F(UsedAgain, OneCallbackTwiceInAList) {
  for (const auto& [name, make] : makers()) {
    const auto one = make();
    Trainer<float> twice(model(), 1), two(model(), 1);
    EXPECT_EQ(left_by(twice, data(1), {one, one}), left_by(two, data(1), {make(), make()})) << name;
  }
}

TEST_F(UsedAgain, FoldsOfFiveWithSharedCallbacks) {
  Callbacks shared;
  for (const auto& [name, make] : makers()) shared.push_back(make());
  for (std::uint64_t fold = 0; fold < 5; ++fold) {
    Callbacks own;
    for (const auto& [name, make] : makers()) own.push_back(make());
    Trainer<float> one(model(), fold), other(model(), fold);
    EXPECT_EQ(left_by(one, data(fold), shared), left_by(other, data(fold), own)) << "fold " << fold;
  }
}

// A fit within a callback of another one, with the same objects.
TEST_F(UsedAgain, OneFitWithinAnother) {
  fs::create_directory(folder_ / "out");
  for (const auto& [name, make] : makers()) {
    const auto shared = make();
    Trainer<float> outer(model(), 1), alone(model(), 1), inner_alone(model(), 2);
    std::vector<std::vector<double>> within;
    const auto nested = on_epoch_end([&](Training& training) {
      if (training.epoch() != 1) return;
      Trainer<float> inner(model(), 2);
      within = inner.fit(data(2), options({shared})).epochs;
    });
    const auto nothing = on_epoch_end([](Training&) {});
    const auto expected = alone.fit(data(1), options({make(), nothing})).epochs;
    EXPECT_EQ(outer.fit(data(1), options({shared, nested})).epochs, expected) << name;
    EXPECT_EQ(within, inner_alone.fit(data(2), options({make()})).epochs) << name;
  }
}

TEST_F(UsedAgain, ATrainerCannotBeFittedWithinItsOwnFit) {
  Trainer<float> trainer(model(), 1), whole(model(), 1);
  const auto again = on_epoch_end([&](Training&) { trainer.fit(data(1), options({})); });
  const auto resume = on_epoch_end([&](Training&) { trainer.resume("c"); });
  EXPECT_THAT(error_of([&] { trainer.fit(data(1), options({again})); }),
              HasSubstr("fit: this trainer is in the middle of a fit"));
  EXPECT_THAT(error_of([&] { trainer.fit(data(1), options({resume})); }),
              HasSubstr("resume: this trainer is in the middle of a fit"));
  EXPECT_EQ(trainer.fit(data(1), options({})).epochs.size(), 8U) << "it is usable after these errors";
}

// A data set that has been trained on, evaluated and split is as one that was not.
TEST_F(UsedAgain, DataSetsAreAsNew) {
  const Dataset<float> used = data(3);
  const Dataset<float> copy = used;
  EXPECT_EQ(used.fingerprint(), data(3).fingerprint());
  EXPECT_NE(used.fingerprint(), data(4).fingerprint());
  Trainer<float> first(model(), 7);
  first.fit(used, {.epochs = 2, .validation_split = 0.5, .verbose = false});
  first.evaluate(copy);
  Trainer<float> again(model(), 1), fresh(model(), 1);
  EXPECT_EQ(left_by(again, copy, {}), left_by(fresh, data(3), {}));
  EXPECT_EQ(used.fingerprint(), data(3).fingerprint());
}

// The first fit may be shorter, longer, of other batches, or end in an error.
TEST_F(UsedAgain, CallbacksAreAsNewAfterAnyFit) {
  const std::map<std::string, std::function<void(Trainer<float>&, const Callbacks&)>> fits{
      {"short",
       [](auto& t, auto& used) { t.fit(data(1), {.epochs = 1, .callbacks = used, .verbose = false}); }},
      {"long",
       [](auto& t, auto& used) {
         t.fit(data(1), {.epochs = 20, .batch = 30, .callbacks = used, .verbose = false});
       }},
      {"validated",
       [](auto& t, auto& used) {
         t.fit(data(1), {.epochs = 5, .validation_split = 0.4, .callbacks = used, .verbose = false});
       }},
      {"broken", [](auto& t, const Callbacks& used) {
         Callbacks all = used;
         all.push_back(on_epoch_end([](Training&) { throw std::runtime_error("broken"); }));
         EXPECT_THROW(t.fit(data(1), options(all)), std::runtime_error);
       }}};
  for (const auto& [name, make] : makers())
    for (const auto& [kind, fit] : fits) {
      fs::remove_all(folder_ / "out");
      fs::create_directory(folder_ / "out");
      const Callbacks used{make()};
      Trainer<float> before(model(), 1), again(model(), 2), fresh(model(), 2);
      fit(before, used);
      EXPECT_EQ(left_by(again, data(2), used), left_by(fresh, data(2), {make()}))
          << name << " after " << kind;
    }
}

// What does not train leaves no trace in a trainer, nor in a data set: each pair of uses, then a fit.
TEST_F(UsedAgain, EveryPairOfUsesOfATrainerAndItsData) {
  using Use = std::function<void(Trainer<float>&, const Dataset<float>&)>;
  const std::map<std::string, Use> uses{
      {"evaluate", [](auto& t, auto& d) { t.evaluate(d, 7); }},
      {"predict", [](auto& t, auto& d) { t.predict(d, 4); }},
      {"save_weights", [this](auto& t, auto&) { t.save_weights(file("w")); }},
      {"save_and_load_weights",
       [this](auto& t, auto&) {
         t.save_weights(file("w"));
         t.load_weights(file("w"));
       }},
      {"save_checkpoint", [this](auto& t, auto&) { t.save_checkpoint(file("c")); }},
      {"summary", [](auto& t, auto&) { t.summary(); }},
      {"select",
       [](auto&, auto& d) {
         d.select({3, 1, 4}).fingerprint();
       }},
      {"fit_another", [](auto&, auto& d) { Trainer<float>(model(), 9).fit(d, options({})); }},
      {"validate_another",
       [](auto&, auto& d) {
         Trainer<float>(model(), 9)
             .fit(data(5), {.epochs = 2, .validation = d, .callbacks = {}, .verbose = false});
       }},
      {"refused_fit", [](auto& t, auto& d) {
         EXPECT_THROW(t.fit(d, {.epochs = 1, .validation_split = 2, .verbose = false}), Error);
       }}};
  Trainer<float> fresh(model(), 3);
  const Left expected = left_by(fresh, data(6), {});
  for (const auto& [first, use_first] : uses)
    for (const auto& [second, use_second] : uses) {
      Trainer<float> used(model(), 3);
      const Dataset<float> samples = data(6);
      use_first(used, samples);
      use_second(used, samples);
      EXPECT_EQ(left_by(used, samples, {}), expected) << first << ", " << second;
    }
}

// Several trainers in turn on one data set, and one trainer whose store another one resumes from.
TEST_F(UsedAgain, TrainersInTurnAreAsTrainersAlone) {
  const Dataset<float> shared = data(7);
  std::vector<Left> in_turn, alone;
  std::vector<std::unique_ptr<Trainer<float>>> trainers;
  for (std::uint64_t seed = 0; seed < 3; ++seed)
    trainers.push_back(std::make_unique<Trainer<float>>(model(), seed));
  for (int round = 0; round < 2; ++round)
    for (auto& trainer : trainers) in_turn.push_back(left_by(*trainer, shared, {}));
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Trainer<float> one(model(), seed);
    for (int round = 0; round < 2; ++round) alone.push_back(left_by(one, data(7), {}));
  }
  for (std::size_t seed = 0; seed < 3; ++seed)
    for (std::size_t round = 0; round < 2; ++round)
      EXPECT_EQ(in_turn[3 * round + seed], alone[2 * seed + round]) << seed << ", " << round;

  Trainer<float> first(model(), 4), used(model(), 4), fresh(model(), 4);
  first.fit(shared, options({}));
  first.save_checkpoint(file("c"));
  used.fit(data(8), options({}));
  used.resume(file("c"));
  fresh.resume(file("c"));
  const FitOptions<float> more{.epochs = 12, .batch = 8, .callbacks = {}, .verbose = false};
  EXPECT_EQ(used.fit(shared, more).epochs, fresh.fit(shared, more).epochs);
  for (const std::string& name : fresh.store().names()) {
    const auto a = used.store().values(name), b = fresh.store().values(name);
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << name;
  }
}

// A trainer that is fitted again goes on from its weights and rate; nothing else of the first fit is left.
TEST_F(UsedAgain, ATrainerGoesOnFromItsWeights) {
  Trainer<float> used(model(), 1), moved(model(), 1);
  used.fit(data(1),
           {.epochs = 3, .batch = 8, .callbacks = {early_stopping({.monitor = "loss"})}, .verbose = false});
  const Left before = left_by(used, data(2), {csv_log(file("out/log.csv"))});
  EXPECT_EQ(before.epochs.size(), 8U);
  EXPECT_EQ(before.stopped, "");
  EXPECT_THAT(before.files.at("log.csv"), testing::StartsWith("epoch,loss\n0,"));
}

// A callback of one's own that is PerFit, too.
class Counting final : public PerFit<Counting> {
 public:
  void on_epoch_end(Training& training) override {
    if (++count_ == 3) training.stop("three");
  }

 private:
  int count_ = 0;
};

TEST_F(UsedAgain, SoAreCallbacksOfOnesOwn) {
  const auto counting = std::make_shared<Counting>();
  for (int i = 0; i < 3; ++i) {
    Trainer<float> trainer(model(), 1);
    EXPECT_EQ(trainer.fit(data(1), options({counting})).epochs.size(), 3U);
  }
}

}  // namespace
}  // namespace gradus
