// A target of another shape than the prediction is an error of the user's line, in every loss and metric.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gradus/gradus.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/errors.hpp"

namespace gradus {
namespace {

using Loss = std::function<Expr(Arg, Arg)>;

std::string error_with(const Loss& loss, const std::vector<Metric>& metrics,
                       Location at = Location::current()) {
  const ModelDefinition model{
      .inputs = {{"x", {B, 3}}},
      .target = {"t", {B}},
      .network = [](const std::vector<Expr>& in, Mode&) { return linear(in[0], 1, "output"); },
      .loss = loss,
      .metrics = metrics};
  return test::error_of([&] { const Trainer<float> trainer(model, 0, at); }, at);
}

TEST(TargetShape, IsThatOfThePrediction) {
  const std::string reason =
      " at HERE: the prediction and the target must have the same shape; reshape one of them: output [B, 1], "
      "t [B]";
  EXPECT_EQ(error_with(mse, {}), "mse" + reason);
  EXPECT_EQ(error_with(half_squared_error, {}), "half_squared_error" + reason);
  EXPECT_EQ(error_with(binary_cross_entropy, {}), "binary_cross_entropy" + reason);
  const Loss fits = [](Arg y, Arg t) { return mse(y, reshape(t, y.expr.shape())); };
  EXPECT_EQ(error_with(fits, {}), "no error");
  EXPECT_EQ(error_with(fits, {mean_absolute_error()}), "mean_absolute_error" + reason);
  EXPECT_EQ(error_with(fits, {mean_squared_error()}), "mse" + reason);
  EXPECT_EQ(error_with(fits, {binary_accuracy()}), "binary_accuracy" + reason);
}

// A default argument of what the standard library calls is a line in one of its headers.
TEST(TargetShape, IsAnErrorOfTheModelsLineWhereNobodyKnowsTheTrainers) {
  const auto network = [](const std::vector<Expr>& in, Mode&) { return linear(in[0], 1, "output"); };
  const auto error = [](const ModelDefinition& model) {
    return test::error_of([&] { std::make_unique<Trainer<float>>(model); }, model.where);
  };
  EXPECT_THAT(error({.inputs = {{"x", {B, 3}}}, .target = {"t", {B}}, .network = network, .loss = mse}),
              testing::StartsWith("mse at HERE: "));
  ModelDefinition bit_by_bit;
  bit_by_bit.inputs = {{"x", {B, 3}}};
  bit_by_bit.target = {"t", {B}};
  bit_by_bit.network = network;
  bit_by_bit.loss = mse;
  EXPECT_THAT(error(bit_by_bit), testing::StartsWith("mse: the prediction and the target must"));
  EXPECT_EQ(to_string(bit_by_bit.where), "an unknown place");
}

TEST(TargetShape, IsCheckedByOperatorsInALossOfOnesOwn) {
  const Loss own = [](Arg y, Arg t) { return mean(square(y.expr - t.expr)); };
  EXPECT_THAT(error_with(own, {}), testing::AllOf(testing::StartsWith("sub at target_shape_test.cpp"),
                                                  testing::HasSubstr("two batch axes, [B, B]")));
}

// What a new user may do with data and losses, and what the Error says.
TEST(NewUsersMistakes, AreErrorsThatSayWhatToDo) {
  using testing::AllOf, testing::EndsWith, testing::HasSubstr, testing::StartsWith;
  const Loss by_entry = [](Arg y, Arg t) { return square(y.expr - reshape(t, {B, 1})); };
  EXPECT_THAT(
      error_with(by_entry, {}),
      AllOf(StartsWith("Trainer at HERE: the loss must be a scalar, or a number for each sample, [B]; "
                       "take its mean: square"),
            EndsWith(" [B, 1]")));
  const Loss good = [](Arg y, Arg t) { return mse(y, reshape(t, {B, 1})); };
  EXPECT_THAT(error_with(good, {{"off", by_entry}}),
              AllOf(StartsWith("Trainer at HERE: the metric 'off' must be a scalar; take its mean: square"),
                    EndsWith(" [B, 1]")));
  const std::string one =
      " at HERE: there is one class, so that all answers would be right; take binary_accuracy: output [B, 1]";
  EXPECT_EQ(error_with(good, {accuracy()}), "accuracy" + one);
  EXPECT_EQ(error_with(good, {top_k_accuracy(1)}), "top_k_accuracy" + one);

  const std::vector<double> x(6, 1), t(2, 1);
  Trainer<float> trainer({.inputs = {{"x", {B, 3}}},
                          .target = {"t", {B, 1}},
                          .network = [](Expr in) { return linear(in, 1, "output"); },
                          .loss = mse});
  const FitOptions<float> quiet{.verbose = false};
  const std::string fed = ", but the model is fed 2: x [B, 3], t [B, 1]; give these, in this order";
  const auto of = [](const std::vector<std::vector<double>>& tensors) { return Dataset<float>(2, tensors); };
  const auto error = [](const auto& action) { return test::error_of(action); };
  EXPECT_EQ(error([&] { trainer.fit(of({x}), quiet); }), "fit: the number of tensors in the data is 1" + fed);
  EXPECT_EQ(error([&] {
              trainer.fit(of({x, t, t}), quiet);
            }),
            "fit: the number of tensors in the data is 3" + fed);
  EXPECT_EQ(error([&] {
              trainer.fit(of({x, t, t}).select({1}), quiet);
            }),
            "fit: the number of tensors in the data is 3" + fed);
  EXPECT_EQ(error([&] { trainer.evaluate(of({x})); }),
            "evaluate: the number of tensors in the data is 1" + fed);
  EXPECT_EQ(error([&] {
              trainer.predict(of({x, t, t}));
            }),
            "predict: the number of tensors in the data is 3" + fed);
  EXPECT_EQ(error([&] {
              trainer.fit(of({t, x}), quiet);
            }),
            "fit: the rows of tensor 0 have 1 numbers, but the model wants 3: x [B, 3]");
  EXPECT_EQ(error([&] {
              FitOptions<float> options{.verbose = false};
              options.validation = of({x, x});
              trainer.fit(of({x, t}), options);
            }),
            "fit: validation: the rows of tensor 1 have 3 numbers, but the model wants 1: t [B, 1]");
  EXPECT_EQ(trainer.predict(of({x})).size(), 2U);
  EXPECT_EQ(trainer.predict(of({x, t})).size(), 2U);
  trainer.fit(of({x, t}), quiet);
}

}  // namespace
}  // namespace gradus
