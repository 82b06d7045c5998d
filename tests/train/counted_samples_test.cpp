// Samples of weight 0, their own or their class's, take no part in a training, whatever they hold. Weights of
// classes that fit no target. Answers of NaN are never right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gradus/gradus.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/evaluate.hpp"

namespace gradus {
namespace {

using test::all_values;
using test::error_of;
using test::Numbers;
using test::some_values;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::int64_t samples = 12;

template <class T> FitOptions<T> quiet(std::int64_t batch = 5, bool shuffle = true) {
  return {.epochs = 3, .batch = batch, .shuffle = shuffle, .verbose = false};
}

// Networks in each of which something can overflow, or whose gradient is a matrix product.
using Network = Expr (*)(Expr x, Mode& mode);
const Network networks[] = {
    [](Expr x, Mode&) { return linear(x, 1, "y"); },
    [](Expr x, Mode&) { return linear(exp(linear(x, 3, "h")), 1, "y"); },
    [](Expr x, Mode&) { return linear(sqrt(square(linear(x, 3, "h"))), 1, "y"); },
    [](Expr x, Mode&) { return linear(softmax(linear(x, 3, "h")), 1, "y"); },
    [](Expr x, Mode&) { return linear(layer_norm(linear(x, 3, "h"), "n"), 1, "y"); },
    [](Expr x, Mode& mode) { return linear(batch_norm(linear(x, 3, "h"), "n", mode), 1, "y"); },
    [](Expr x, Mode& mode) { return linear(dropout(linear(x, 3, "h"), 0.3, "d", mode), 1, "y"); },
};

ModelDefinition squares(Network network, const Optimizer& optimizer = sgd({.rate = 0.01})) {
  return {.inputs = {{"x", {B, 2}}},
          .target = {"t", {B, 1}},
          .network = network,
          .loss = [](Expr y, Expr t) { return sum(square(y - t), {1}); },
          .metrics = {mean_absolute_error()},
          .optimizer = optimizer,
          .sample_weights = "weight"};
}

struct Data {
  Numbers x = some_values(2 * samples, 1, 1), t = some_values(samples, 1, 2), weights = Numbers(samples, 1);
  template <class T> Dataset<T> made() const { return {samples, {x, t, weights}}; }
};

template <class T> class CountedSamples : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(CountedSamples, Precisions);

template <class T> std::vector<double> wrong_numbers() {
  const double most = static_cast<double>(std::numeric_limits<T>::max());
  return {std::nan(""), HUGE_VAL, -HUGE_VAL, most, -most, 1e30};
}

// The same bits, whatever stands in such samples: in one, in several, in all of a batch.
TYPED_TEST(CountedSamples, DoNotDependOnOthers) {
  using T = TypeParam;
  for (const Network network : networks)
    for (const std::vector<std::size_t>& out :
         {std::vector<std::size_t>{2}, {0, 11}, {0, 1, 2, 3, 4}, {3, 4, 5, 6, 7, 8, 9, 10, 11}}) {
      Data data;
      for (const std::size_t i : out) data.weights[i] = 0;
      Trainer<T> expected(squares(network), 1);
      const History history = expected.fit(data.made<T>(), quiet<T>(5, false));
      EXPECT_TRUE(std::isfinite(history.of("loss").back()));
      const Scores scores = expected.evaluate(data.made<T>());
      for (const double wrong : wrong_numbers<T>())
        for (const bool in_target : {false, true}) {
          Data other = data;
          for (const std::size_t i : out) (in_target ? other.t[i] : other.x[2 * i + 1]) = wrong;
          Trainer<T> trainer(squares(network), 1);
          EXPECT_EQ(trainer.fit(other.made<T>(), quiet<T>(5, false)).epochs, history.epochs) << wrong;
          EXPECT_EQ(all_values(trainer.store()), all_values(expected.store())) << wrong;
          EXPECT_EQ(trainer.evaluate(other.made<T>()).values, scores.values) << wrong;
        }
    }
}

TYPED_TEST(CountedSamples, AreThoseOfEveryOptimizer) {
  using T = TypeParam;
  for (const Optimizer& optimizer : {sgd({.momentum = 0.9}), adam(), rmsprop(), nadam(), adagrad(), rprop(),
                                     adamw(), sgd().clip_norm(1)}) {
    Data data;
    data.weights[7] = 0;
    Trainer<T> expected(squares(networks[1], optimizer), 1), trainer(squares(networks[1], optimizer), 1);
    expected.fit(data.made<T>(), quiet<T>());
    data.x[14] = 1e30;
    trainer.fit(data.made<T>(), quiet<T>());
    EXPECT_EQ(all_values(trainer.store()), all_values(expected.store())) << optimizer.name();
  }
}

// The loss is the mean over all, as if those out had a loss of 0; the metrics are means over those that
// count.
TYPED_TEST(CountedSamples, AloneAreInTheScores) {
  using T = TypeParam;
  Data data, counted;
  for (const std::size_t i : {std::size_t{1}, std::size_t{6}, std::size_t{11}}) data.weights[i] = 0;
  counted.x.clear(), counted.t.clear();
  for (std::size_t i = 0; i < samples; ++i)
    if (data.weights[i] != 0) {
      counted.x.insert(counted.x.end(), {data.x[2 * i], data.x[2 * i + 1]});
      counted.t.push_back(data.t[i]);
    }
  Trainer<T> trainer(squares(networks[0]), 1);
  const Dataset<T> rest(9, {counted.x, counted.t, Numbers(9, 1)});
  for (const std::int64_t batch : {1, 4, 12, 100}) {
    const Scores all = trainer.evaluate(data.made<T>(), batch), some = trainer.evaluate(rest, batch);
    EXPECT_NEAR(all.at("loss"), some.at("loss") * 9 / 12, 1e-6);
    EXPECT_NEAR(all.at("mean_absolute_error"), some.at("mean_absolute_error"), 1e-6);
  }
  data.weights.assign(samples, 0);
  EXPECT_EQ(trainer.evaluate(data.made<T>()).at("loss"), 0);
  EXPECT_TRUE(std::isnan(trainer.evaluate(data.made<T>()).at("mean_absolute_error")));
}

ModelDefinition classes(std::vector<double> class_weights, Shape target, std::int64_t answers,
                        bool by_sample = false) {
  return {.inputs = {{"x", {B, 2}}},
          .target = {"t", std::move(target)},
          .network = [answers](Expr x) { return linear(x, answers, "y", {.weights = zeros()}); },
          .loss =
              [](Expr y, Expr t) {
                if (y.shape().back() == Dim(1)) return reshape(softplus(y) - y * reshape(t, y.shape()), {B});
                return -sum(
                    (t.shape().rank() == 1 ? one_hot(t, y.shape().back().constant()) : t) * log_softmax(y),
                    {1});
              },
          .optimizer = sgd({.rate = 0.1}),
          .sample_weights = by_sample ? "weight" : "",
          .class_weights = std::move(class_weights)};
}

// "Ignore this one": a label that is no class, in a sample that does not count.
TYPED_TEST(CountedSamples, NeedNoLabelWhereTheyAreOut) {
  using T = TypeParam;
  Numbers labels, weights(samples, 1);
  for (std::int64_t i = 0; i < samples; ++i) labels.push_back(static_cast<double>(i % 3));
  weights[4] = weights[5] = 0;
  for (const bool by_class : {false, true}) {
    const auto model = classes(by_class ? std::vector<double>{1, 2, 3} : std::vector<double>{}, {B}, 3, true);
    Trainer<T> expected(model, 1);
    const Numbers x = some_values(2 * samples);
    expected.fit({samples, {x, labels, weights}}, quiet<T>());
    for (const double label : {-1.0, 3.0, 255.0, 0.5, std::nan("")}) {
      Numbers others = labels;
      others[4] = others[5] = label;
      Trainer<T> trainer(model, 1);
      const Dataset<T> data(samples, {x, others, weights});
      trainer.fit(data, quiet<T>());
      EXPECT_EQ(all_values(trainer.store()), all_values(expected.store())) << label;
      EXPECT_EQ(trainer.evaluate(data).values, expected.evaluate({samples, {x, labels, weights}}).values);
      others[7] = -1;
      EXPECT_THAT(error_of([&] {
                    trainer.fit({samples, {x, others, weights}}, quiet<T>());
                  }),
                  HasSubstr("the label in row 7 of the data is -1"));
    }
  }
}

// Neither do the inputs of a class whose factor is 0.
TYPED_TEST(CountedSamples, AreNotThoseOfAClassThatIsOut) {
  using T = TypeParam;
  for (const bool one_hot_target : {false, true}) {
    Numbers target;
    for (std::int64_t i = 0; i < samples; ++i)
      if (one_hot_target)
        for (std::int64_t k = 0; k < 3; ++k) target.push_back(i % 3 == k ? 1 : 0);
      else
        target.push_back(static_cast<double>(i % 3));
    const auto model = classes({1, 0, 2}, one_hot_target ? Shape{B, 3} : Shape{B}, 3);
    Trainer<T> expected(model, 1);
    Numbers x = some_values(2 * samples);
    expected.fit({samples, {x, target}}, quiet<T>());
    for (const double wrong : wrong_numbers<T>()) {
      x[2 * 4] = x[2 * 10 + 1] = wrong;
      Trainer<T> trainer(model, 1);
      trainer.fit({samples, {x, target}}, quiet<T>());
      EXPECT_EQ(all_values(trainer.store()), all_values(expected.store())) << wrong;
    }
  }
}

// A column of 0 and 1 has two classes: (3·1 + 9)·log 2 / 4 for three of the first and one of the second.
TYPED_TEST(CountedSamples, OfTwoClassesInAColumn) {
  using T = TypeParam;
  for (const Shape& target : {Shape{B, 1}, Shape{B}}) {
    Trainer<T> trainer(classes({1, 9}, target, 1), 1);
    EXPECT_NEAR(trainer.evaluate({4, {some_values(8), {0, 1, 0, 0}}}).at("loss"), 12 * std::log(2) / 4, 1e-6);
  }
  Trainer<T> half(classes({1, 9}, {B, 1}, 1), 1);
  EXPECT_NEAR(half.evaluate({1, {some_values(2), {0.25}}}).at("loss"), 3 * std::log(2), 1e-6);
}

TEST(ClassWeights, FitTheTargetAndThePrediction) {
  struct Case {
    std::vector<double> weights;
    Shape target;
    std::int64_t answers;
    const char* says;
  };
  const Case cases[] = {
      {{1, 9, 5}, {B, 1}, 1, "3 factors, but the target is neither a class index [B], nor a number for each"},
      {{1, 9}, {B, 3}, 3, "2 factors, but the target"},
      {{5}, {B, 3}, 3, "has one factor"},
      {{5}, {B}, 3, "has one factor"},
      {{5}, {B, 1}, 1, "has one factor"},
      {{1, 2, 3, 4}, {B, 3}, 3, "4 factors, but the target"},
      {{1, 2}, {B}, 3, "2 factors, but the prediction is not of so many classes"},
      {{1, 2, 3, 4}, {B}, 3, "4 factors, but the prediction"},
      {{1, NAN, 3}, {B}, 3, "the factor 1 of class_weights is nan"},
      {{1, 2, -1}, {B}, 3, "the factor 2 of class_weights is -1"},
      {{HUGE_VAL, 2, 1}, {B, 3}, 3, "the factor 0 of class_weights is inf"},
  };
  for (const auto& [weights, target, answers, says] : cases)
    EXPECT_THAT(error_of([&, &w = weights, &t = target, a = answers] { Trainer<float>{classes(w, t, a)}; }),
                AllOf(HasSubstr("Trainer at HERE"), HasSubstr(says), HasSubstr("y ["), HasSubstr("t [B")));
}

// Rows that are of no class, or of several, are told by their numbers.
TEST(ClassWeights, AreForTargetsOfOneClass) {
  struct Case {
    Shape target;
    Numbers row;
    bool is_class;
  };
  const Case cases[] = {{{B, 2}, {1, 1}, false},         {{B, 2}, {0, 0}, false},
                        {{B, 2}, {0.3, 0.7}, true},      {{B, 2}, {2, -1}, false},
                        {{B, 3}, {0, 1, 1}, false},      {{B, 3}, {0, 1, 0}, true},
                        {{B, 3}, {0, 1, 2}, false},      {{B, 1}, {3}, false},
                        {{B, 1}, {-1}, false},           {{B, 1}, {0.5}, true},
                        {{B, 3}, {0.2, 0.2, 0.2}, false}};
  for (const auto& [target, row, is_class] : cases) {
    const auto width = static_cast<std::size_t>(row.size());
    Numbers all(6 * width, 0);
    for (std::size_t i = 0; i < 6; ++i) all[i * width] = 1;
    std::ranges::copy(row, all.begin() + static_cast<std::ptrdiff_t>(3 * width));
    const std::vector<double> weights(std::max<std::size_t>(2, width), 2);
    Trainer<float> trainer(classes(weights, target, static_cast<std::int64_t>(width)), 1);
    const Dataset<float> data(6, {some_values(12), all});
    const auto expected = is_class ? testing::Matcher<std::string>("no error")
                                   : AllOf(HasSubstr("class_weights: the target in row 3 of the data is ["),
                                           HasSubstr("see sample_weights"));
    EXPECT_THAT(error_of([&] { trainer.fit(data, quiet<float>(4)); }), expected);
    EXPECT_THAT(error_of([&] { trainer.evaluate(data, 4); }), expected);
  }
}

// NaN is no answer, whichever way it is asked.
TEST(Metrics, CountNaNAsWrong) {
  const double nan = std::nan("");
  const auto score = [](const Metric& metric, const Extents& extents, Numbers y, Numbers t) {
    Graph g;
    Shape shape(extents);
    shape[0] = B;
    const Expr prediction = g.input("y", shape), target = g.input("t", shape);
    Store<float> store;
    auto program = compile<float>({metric.of(prediction, target)}, {}, extents[0], store);
    program.feed(prediction, std::vector<float>(y.begin(), y.end()));
    program.feed(target, std::vector<float>(t.begin(), t.end()));
    program.run();
    return program.output().item();
  };
  for (const double threshold : {0.5, 0.0, -1.0, HUGE_VAL, -HUGE_VAL}) {
    EXPECT_EQ(score(binary_accuracy(threshold), {4, 1}, {nan, nan, nan, nan}, {0, 0, 1, 1}), 0);
    EXPECT_EQ(score(binary_accuracy(threshold), {2, 1}, {2, 2}, {nan, nan}), 0);
  }
  EXPECT_EQ(score(binary_accuracy(), {4, 1}, {nan, 0.25, 0.75, 0.5}, {0, 0, 1, 0}), 0.75F);
  EXPECT_EQ(score(binary_accuracy(), {2, 1}, {HUGE_VAL, -HUGE_VAL}, {1, 0}), 1);
  for (const Metric& metric : {accuracy(), top_k_accuracy(1), top_k_accuracy(2)})
    EXPECT_EQ(score(metric, {2, 3}, {nan, nan, nan, nan, nan, nan}, {1, 0, 0, 0, 0, 1}), 0) << metric.name;
  EXPECT_THAT(error_of([] { binary_accuracy(NAN); }),
              AllOf(HasSubstr("binary_accuracy at HERE"), HasSubstr("the threshold is nan")));
}

}  // namespace
}  // namespace gradus
