// An op of one's own with a wrong derivative, checked as a user would: what does the failure say?
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <regex>
#include <string>
#include <vector>

#include "gradus/check/matchers.hpp"
#include "gradus/custom_op.hpp"
#include "gradus/gradus.hpp"

using gradus::testing::HasCorrectGradients;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

namespace {

// Begin: the op.
struct Swish final : gradus::Unary<Swish> {
  static constexpr std::string_view name = "swish";
  template <class T> static T f(T x) { return x * gradus::math::sigmoid(x); }
  template <class T>  // should be y + sigmoid(x) * (1 - y)
  static T d(T x, T y) {
    return y + sigmoid(x) * (1 + y);
  }
};

gradus::Expr swish(gradus::Arg x) { return gradus::build<Swish>({x}); }
// End: the op.

// A small model around it, all of whose other ops are right.
struct Model {
  gradus::Graph g;
  gradus::Expr hidden, active, loss;

  static constexpr int line = __LINE__ + 4;  // where swish is used
  Model() {
    const auto x = g.input("x", {gradus::B, 2});
    hidden = matmul(x, g.parameter("w", {2, 3}));
    active = swish(hidden);
    loss = mean(square(tanh(active) - 1));
  }
};

const gradus::Point point{{"x", {1, -2, 0.5, 3, -1, 0.25}}, {"w", {0.5, -1, 2, 0.25, 1, -0.5}}};

// The text that GoogleTest prints when the matcher fails.
std::string failure_of(const gradus::Expr& expr) {
  ::testing::TestPartResultArray failures;
  {
    const ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
    EXPECT_THAT(expr, HasCorrectGradients(point));
  }
  return failures.size() == 1 ? failures.GetTestPartResult(0).message() : "not one failure";
}

// The model by hand, with the right derivative of swish or the wrong one.
struct ByHand {
  double hidden[3][3] = {};
  double d_active[3][3] = {};
  double d_w[2][3] = {};

  static double slope(double x, bool right) {
    const double s = 1 / (1 + std::exp(-x)), y = x * s;
    return y + s * (right ? 1 - y : 1 + y);
  }

  explicit ByHand(bool right) {
    const auto& x = point.find("x")->second;
    const auto& w = point.find("w")->second;
    for (std::size_t b = 0; b < 3; ++b)
      for (std::size_t j = 0; j < 3; ++j) {
        hidden[b][j] = x[2 * b] * w[j] + x[2 * b + 1] * w[3 + j];
        d_active[b][j] = slope(hidden[b][j], right);
        const double t = std::tanh(hidden[b][j] / (1 + std::exp(-hidden[b][j])));
        const double d_hidden = 2 * (t - 1) / 9 * (1 - t * t) * d_active[b][j];
        for (std::size_t i = 0; i < 2; ++i) d_w[i][j] += x[2 * b + i] * d_hidden;
      }
  }
};

// The groups of a pattern's first match, as numbers.
std::vector<double> numbers(const std::string& text, const std::string& pattern) {
  std::smatch match;
  if (!std::regex_search(text, match, std::regex(pattern))) return {};
  std::vector<double> found;
  for (std::size_t i = 1; i < match.size(); ++i) found.push_back(std::stod(match[i]));
  return found;
}

TEST(WrongOp, FailsTheMatcher) {
  EXPECT_NONFATAL_FAILURE(EXPECT_THAT(Model().loss, HasCorrectGradients(point)), "suspect: swish");
  EXPECT_NONFATAL_FAILURE(EXPECT_THAT(Model().loss, HasCorrectGradients()), "suspect: swish");
  EXPECT_NONFATAL_FAILURE(EXPECT_THAT(Model().active, HasCorrectGradients({.order = 2}, 1)),
                          "suspect: swish");
  EXPECT_THAT(Model().hidden, HasCorrectGradients(point));
  EXPECT_THAT(Model().loss, Not(HasCorrectGradients(point)));
}

TEST(WrongOp, IsNamedWithItsLineAndNoOtherIs) {
  const Model model;
  const std::string text = failure_of(model.loss);
  std::printf("%s\n", text.c_str());
  EXPECT_THAT(text, HasSubstr("Expected: has correct gradients for a batch of 3"));
  EXPECT_THAT(text, HasSubstr("Actual: div#"));
  EXPECT_THAT(text, ContainsRegex("suspect: swish#[0-9]+ \\[B, 3\\] at wrong_op_test.cpp:" +
                                  std::to_string(Model::line) + ": "));
  EXPECT_EQ(text.find("suspect: "), text.rfind("suspect: "));
}

TEST(WrongOp, IsReportedWithItsDerivativeAndTheRightOne) {
  const Model model;
  const auto found =
      numbers(failure_of(model.loss),
              R"(swish#\d+ .* is (\S+) at output (\d+), \[(\d), (\d)\], but differences say (\S+))");
  ASSERT_EQ(found.size(), 5U);
  const auto b = static_cast<std::size_t>(found[2]), j = static_cast<std::size_t>(found[3]);
  EXPECT_EQ(found[1], found[2] * 3 + found[3]);
  EXPECT_NEAR(found[0], ByHand(false).d_active[b][j], 1e-12);
  EXPECT_NEAR(found[4], ByHand(true).d_active[b][j], 1e-10);
  EXPECT_GT(std::abs(found[0] - found[4]), 1e-3);
}

TEST(WrongOp, SpoilsTheEntriesThatTheReportShows) {
  const Model model;
  const auto found =
      numbers(failure_of(model.loss), R"(\nw +\[2, 3\] +1 +\[(\d), (\d)\] +(\S+) +(\S+) .*WRONG)");
  ASSERT_EQ(found.size(), 4U);
  const auto i = static_cast<std::size_t>(found[0]), j = static_cast<std::size_t>(found[1]);
  EXPECT_NEAR(found[2], ByHand(false).d_w[i][j], 1e-12);
  EXPECT_NEAR(found[3], ByHand(true).d_w[i][j], 1e-10);
}

}  // namespace
