// Steps that are not finite: never written, named by op, line and row of the data; skipped, or done again
// with a lower rate. Labels that are no class.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/gradus.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

using test::all_values;
using test::error_of;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::int64_t samples = 200;

// y = x·w, of samples 1, 1, …, but for one.
ModelDefinition line(const Optimizer& optimizer = sgd({.rate = 0.01})) {
  return {.inputs = {{"x", {B, 1}}},
          .target = {"t", {B, 1}},
          .network = [](const std::vector<Expr>& in,
                        Mode&) { return linear(in[0], 1, "y", {.has_bias = false}); },
          .loss = mse,
          .optimizer = optimizer};
}

template <class T> Dataset<T> ones(std::int64_t bad_row = -1, double bad = NAN, bool in_target = false) {
  std::vector<double> x(samples, 1), t(samples, 2);
  if (bad_row >= 0) (in_target ? t : x)[static_cast<std::size_t>(bad_row)] = bad;
  return {samples, {x, t}};
}

template <class T> FitOptions<T> in_order(Callbacks callbacks = {}, std::int64_t epochs = 1) {
  return {
      .epochs = epochs, .batch = 1, .shuffle = false, .callbacks = std::move(callbacks), .verbose = false};
}

template <class T> class NotFinite : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(NotFinite, Precisions);

// Rows whose squares the type does not hold would be normalised to 0, and trained by nothing, without a word.
TYPED_TEST(NotFinite, IsWhatNormalisationLoses) {
  using T = TypeParam;
  const double large = 0.1 * std::numeric_limits<T>::max();
  for (const bool by_layer : {true, false}) {
    ModelDefinition model = line();
    model.inputs = {{"x", {B, 2}}};
    model.network = [&](const std::vector<Expr>& in, Mode& mode) {
      return linear(by_layer ? layer_norm(in[0], "n") : batch_norm(in[0], "n", mode), 1, "y");
    };
    const auto fit = [&](double size) {
      Trainer<T> trainer(model, 1);
      trainer.fit({2, {{1, size, 3, -size}, {1, 2}}}, {.epochs = 1, .batch = 2, .verbose = false});
    };
    EXPECT_NO_THROW(fit(1e15));
    EXPECT_THAT(error_of([&] { fit(large); }),
                AllOf(HasSubstr("not finite"), HasSubstr("not_finite_test.cpp:")));
  }
}

// Wherever the bad sample is, the last of an epoch among them, all that is left is what the steps before
// wrote.
TYPED_TEST(NotFinite, IsNeverWritten) {
  using T = TypeParam;
  for (const Optimizer& optimizer : {sgd({.rate = 0.01}), sgd({.momentum = 0.9}), adam(), rmsprop(), nadam(),
                                     adagrad(), rprop(), adam().clip_norm(1)})
    for (const std::int64_t row : {0L, 1L, 63L, 64L, 130L, samples - 1})
      for (const double bad : {std::nan(""), HUGE_VAL})
        for (const bool in_target : {false, true}) {
          Trainer<T> trainer(line(optimizer), 1), before(line(optimizer), 1);
          const std::string error =
              error_of([&] { trainer.fit(ones<T>(row, bad, in_target), in_order<T>()); });
          EXPECT_THAT(error,
                      AllOf(HasSubstr("fit: epoch 1, step " + std::to_string(row + 1)),
                            HasSubstr(in_target ? "t [B, 1]" : "x [B, 1]"), HasSubstr("not_finite_test.cpp:"),
                            HasSubstr("it is in row " + std::to_string(row) + " of the data")));
          if (row > 0) {
            const Dataset<T> all = ones<T>();
            const Dataset<T> first(row, [&](auto rows, auto into) { all.fill(rows, into); });
            before.fit(first, in_order<T>());
          }
          EXPECT_EQ(all_values(trainer.store()), all_values(before.store()))
              << optimizer.name() << " at " << row;
        }
}

// The loss is finite, but not its gradient, or what the optimizer makes of it.
TYPED_TEST(NotFinite, IsFoundWhereTheLossIsFinite) {
  using T = TypeParam;
  const T huge = std::numeric_limits<T>::max();
  ModelDefinition steep = line();
  steep.loss = [](Arg y, Arg t) { return mean(sqrt(y.expr - y.expr) + t.expr * y.expr); };
  Trainer<T> trainer(steep, 1);
  const auto start = all_values(trainer.store());
  EXPECT_THAT(error_of([&] { trainer.fit(ones<T>(), in_order<T>()); }), HasSubstr("not_finite_test.cpp:"));
  EXPECT_EQ(all_values(trainer.store()), start);

  ModelDefinition scaled = line(adam());
  scaled.loss = [&](Arg y, Arg t) { return mean(y.expr * (0.25 * static_cast<double>(huge)) + t.expr); };
  Trainer<T> overflowing(scaled, 1);
  const auto before = all_values(overflowing.store());
  EXPECT_THAT(error_of([&] { overflowing.fit(ones<T>(), in_order<T>()); }),
              AllOf(HasSubstr("adam_step"), HasSubstr("not_finite_test.cpp:")));
  EXPECT_EQ(all_values(overflowing.store()), before);
}

// A parameter that no later loss shows to be NaN: a step of which nothing is seen until the values are looked
// at.
ModelDefinition silent() {
  ModelDefinition definition = line(adam());
  definition.network = [](Expr x) {
    const Expr w = x.graph().parameter("w", {1}, constant(1));
    return where(w < 5, w, 5) * x;
  };
  definition.loss = [](Expr y, Expr t) { return mean(sqrt(t * y)); };
  return definition;
}

// Such a step is found whether or not somebody looks at each, is left out alone, and counts in no score.
TYPED_TEST(NotFinite, IsFoundAmongStepsThatHideIt) {
  using T = TypeParam;
  class Looks final : public PerFit<Looks> {
   public:
    bool wants_steps() const override { return true; }
  };
  for (const bool looks : {false, true})
    for (const std::int64_t row : {0L, 1L, 62L, 63L, 64L, 100L, samples - 1}) {
      const Dataset<T> data = ones<T>(row, 0, true);
      Callbacks callbacks;
      if (looks) callbacks.push_back(std::make_shared<Looks>());
      Trainer<T> stopping(silent(), 1), skipping(silent(), 1), without(silent(), 1), before(silent(), 1);
      EXPECT_THAT(error_of([&] { stopping.fit(data, in_order<T>(callbacks)); }),
                  AllOf(HasSubstr("fit: epoch 1, step " + std::to_string(row + 1) + ": "),
                        HasSubstr("not_finite_test.cpp:")));
      const Dataset<T> all = ones<T>();
      const Dataset<T> rest(samples - 1, [&](auto rows, auto into) { all.fill(rows, into); });
      const Dataset<T> first(std::max<std::int64_t>(row, 1),
                             [&](auto rows, auto into) { all.fill(rows, into); });
      if (row > 0) before.fit(first, in_order<T>());
      EXPECT_EQ(all_values(stopping.store()), all_values(before.store())) << row;

      callbacks.push_back(stop_on_nan({.then = OnNan::skip_step}));
      const History history = skipping.fit(data, in_order<T>(callbacks, 2));
      EXPECT_EQ(history.epochs, without.fit(rest, in_order<T>({}, 2)).epochs) << row;
      EXPECT_EQ(all_values(skipping.store()), all_values(without.store())) << row;
      EXPECT_THAT(history.remarks, SizeIs(2));
    }
}

TYPED_TEST(NotFinite, StopsWithAWord) {
  using T = TypeParam;
  Trainer<T> trainer(line(), 1);
  const History history = trainer.fit(ones<T>(77), in_order<T>({stop_on_nan()}));
  EXPECT_TRUE(history.failed);
  EXPECT_THAT(history.stopped, AllOf(testing::StartsWith("epoch 1, step 78: "), HasSubstr("row 77")));
}

TYPED_TEST(NotFinite, IsSkippedAsIfItsSamplesWereNotThere) {
  using T = TypeParam;
  for (const std::int64_t row : {0L, 100L, samples - 1}) {
    Trainer<T> skipping(line(adam()), 1), without(line(adam()), 1);
    const History history =
        skipping.fit(ones<T>(row), in_order<T>({stop_on_nan({.then = OnNan::skip_step})}, 2));
    const Dataset<T> all = ones<T>();
    const Dataset<T> rest(samples - 1, [&](auto rows, auto into) { all.fill(rows, into); });
    const History expected = without.fit(rest, in_order<T>({}, 2));
    EXPECT_EQ(all_values(skipping.store()), all_values(without.store())) << row;
    EXPECT_EQ(history.epochs, expected.epochs) << row;
    EXPECT_THAT(history.remarks, AllOf(SizeIs(2), Each(HasSubstr("the step was skipped: "))));
    EXPECT_FALSE(history.failed);
  }
}

TYPED_TEST(NotFinite, IsDoneAgainWithALowerRate) {
  using T = TypeParam;
  // log of what a step with this rate drives below 0.
  ModelDefinition definition = line(sgd({.rate = 3}));
  definition.network = [](const std::vector<Expr>& in, Mode&) {
    return in[0] * log(in[0].graph().parameter("w", {1}, constant(1)));
  };
  definition.loss = [](Arg y, Arg t) { return mean(0.3 * (y.expr + t.expr)); };
  const auto lower = stop_on_nan({.then = OnNan::lower_rate, .factor = 0.25});
  Trainer<T> trainer(definition, 1);
  const History history = trainer.fit(ones<T>(), in_order<T>({lower}));
  EXPECT_FALSE(history.remarks.empty());
  EXPECT_THAT(history.remarks, Each(HasSubstr("the learning rate was lowered to")));
  EXPECT_LT(trainer.store().values("sgd/rate")[0], 3);
  EXPECT_TRUE(std::isfinite(trainer.store().values("w")[0]));
  // No rate helps where a sample is bad.
  Trainer<T> hopeless(line(), 1);
  const History failed =
      hopeless.fit(ones<T>(5), in_order<T>({stop_on_nan({.then = OnNan::lower_rate, .most = 4})}));
  EXPECT_TRUE(failed.failed);
  EXPECT_THAT(failed.remarks, SizeIs(4));
  EXPECT_THAT(failed.stopped, AllOf(HasSubstr("row 5 of the data"), HasSubstr("after 4 steps like it")));
}

// A state that is infinite to begin with is no failure.
TEST(NotFiniteTest, MayBeWhatIsSo) {
  ModelDefinition definition = line();
  definition.network = [](const std::vector<Expr>& in, Mode& mode) {
    const Expr least = in[0].graph().state("least", {}, constant(HUGE_VAL));
    mode.update(least, least + 1);
    return linear(in[0], 1, "y");
  };
  Trainer<float> trainer(definition, 1);
  EXPECT_FALSE(trainer.fit(ones<float>(), in_order<float>()).failed);
}

TEST(NotFiniteTest, OptionsMakeSense) {
  EXPECT_THAT(error_of([] { stop_on_nan({.factor = 1}); }), HasSubstr("the factor is 1"));
  EXPECT_THAT(error_of([] { stop_on_nan({.factor = NAN}); }), HasSubstr("the factor is nan"));
  EXPECT_THAT(error_of([] { stop_on_nan({.most = 0}); }), HasSubstr("most is 0"));
}

// A label out of range: the row of the data, however it was shuffled, and the line of the model.
TEST(Labels, ThatAreNoClassNameTheRowOfTheData) {
  ModelDefinition definition{
      .inputs = {{"x", {B, 2}}},
      .target = {"label", {B}},
      .network = [](const std::vector<Expr>& in, Mode&) { return linear(in[0], 3, "y"); },
      .loss = cross_entropy,
      .metrics = {accuracy()}};
  for (const double bad : {3.0, -1.0, 0.5, std::nan("")})
    for (const std::size_t row : {0U, 13U, 29U}) {
      std::vector<double> x(60, 1), labels(30, 2);
      labels[row] = bad;
      const Dataset<float> data(30, {x, labels});
      Trainer<float> trainer(definition, 1);
      const auto named = AllOf(HasSubstr("not_finite_test.cpp:"),
                               HasSubstr("the label in row " + std::to_string(row) + " of the data is "),
                               HasSubstr("not a class index from 0 to 2"));
      for (const bool shuffle : {true, false})
        EXPECT_THAT(error_of([&] { trainer.fit(data, {.batch = 8, .shuffle = shuffle, .verbose = false}); }),
                    named);
      EXPECT_THAT(error_of([&] { trainer.evaluate(data, 7); }), named);
    }
}

}  // namespace
}  // namespace gradus
