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

TEST(TargetShape, IsCheckedByOperatorsInALossOfOnesOwn) {
  const Loss own = [](Arg y, Arg t) { return mean(square(y.expr - t.expr)); };
  EXPECT_THAT(error_with(own, {}), testing::AllOf(testing::StartsWith("sub at target_shape_test.cpp"),
                                                  testing::HasSubstr("two batch axes, [B, B]")));
}

}  // namespace
}  // namespace gradus
