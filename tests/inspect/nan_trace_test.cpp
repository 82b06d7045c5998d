// Which node was the first that was not finite?
#include "gradus/inspect/nan_trace.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/ops.hpp"

namespace gradus {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

class TraceNan : public ::testing::Test {
 protected:
  std::optional<NanTrace> trace(const Expr& expr, const Point& point) {
    return trace_nan({&expr, 1}, point, batch);
  }
  static std::string line(int number) { return "nan_trace_test.cpp:" + std::to_string(number); }

  static constexpr std::int64_t batch = 2;
  Graph g;
  Expr x = g.input("x", {B, 2});
};

TEST_F(TraceNan, SaysNothingWhenAllIsFinite) {
  EXPECT_FALSE(trace(log(square(x) + 1) / 3, {{"x", {1, -2, 3, 1e150}}}));
  EXPECT_FALSE(trace(x, {{"x", {0, -0.0, 5e-324, 1.7e308}}}));
}

TEST_F(TraceNan, NamesTheFirstNodeWithItsLineItsEntryAndItsInputs) {
  const Expr shifted = x - 1;
  const int here = __LINE__ + 1;
  const Expr logarithm = log(shifted);
  const auto found = trace(mean(tanh(logarithm) * 2), {{"x", {2, 4, 0.5, 3}}});
  ASSERT_TRUE(found);
  EXPECT_THAT(found->node, AllOf(StartsWith("log#"), EndsWith(" [B, 2]")));
  EXPECT_EQ(to_string(found->where), line(here));
  EXPECT_THAT(found->text, StartsWith(found->node + " at " + line(here)));
  EXPECT_THAT(found->text, AllOf(HasSubstr("entry 2 is"), HasSubstr("nan")));
  EXPECT_THAT(found->text, AllOf(HasSubstr("\n  input sub#"), HasSubstr("[B, 2] is in [-0.5, 3]")));
  EXPECT_THAT(found->text, Not(HasSubstr("tanh")));
}

TEST_F(TraceNan, GivesTheRangeOfEveryInput) {
  const Expr w = g.parameter("w", {2});
  const auto found = trace(x / w, {{"x", {1, 2, 3, 4}}, {"w", {5, 0}}});
  ASSERT_TRUE(found);
  EXPECT_THAT(found->text, AllOf(HasSubstr("div#"), HasSubstr("entry 1 is inf")));
  EXPECT_THAT(found->text, HasSubstr("\n  input x [B, 2] is in [1, 4]"));
  EXPECT_THAT(found->text, AllOf(HasSubstr("\n  input broadcast_to#"), HasSubstr("is in [0, 5]")));
}

TEST_F(TraceNan, NamesALeafThatWasNotFiniteToBeginWith) {
  const Expr w = g.parameter("w", {2});
  const int here = __LINE__ - 1;
  for (const double bad : {nan, infinity, -infinity}) {
    const auto found = trace(sum(log(x) * w), {{"x", {1, 2, 3, -4}}, {"w", {1, bad}}});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->node, "w [2]");
    EXPECT_EQ(to_string(found->where), line(here));
    EXPECT_THAT(found->text, HasSubstr("entry 1 is"));
    EXPECT_THAT(found->text, Not(HasSubstr("input")));
  }
}

TEST_F(TraceNan, FindsWhatOverflows) {
  const auto found = trace(1 / exp(x * 100), {{"x", {1, 2, 3, 8}}});
  ASSERT_TRUE(found);
  EXPECT_THAT(found->node, StartsWith("exp#"));
  EXPECT_THAT(found->text, AllOf(HasSubstr("entry 3 is inf"), HasSubstr("is in [100, 800]")));
}

// A value that comes to nothing later is named all the same: its gradient is NaN.
TEST_F(TraceNan, FindsWhatIsHiddenLater) {
  const auto found = trace(where(x > 0, sqrt(x), 0), {{"x", {1, -2, 3, 4}}});
  ASSERT_TRUE(found);
  EXPECT_THAT(found->node, StartsWith("sqrt#"));
}

TEST_F(TraceNan, FindsItInAGradientAlone) {
  const Expr value = sum(where(x > 0, sqrt(x), 0));
  const Expr gradient = grad(value, x);
  const Point point{{"x", {1, 0, 3, 4}}};
  EXPECT_FALSE(trace(value, point));
  const auto found = trace(gradient, point);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->text, AllOf(HasSubstr("div#"), HasSubstr("entry 1 is inf"), HasSubstr("input sqrt#")));
}

// The earliest of several, whichever expression needs it; what none needs is not looked at.
TEST_F(TraceNan, LooksAtAllExpressionsAndAtNothingElse) {
  const Expr early = log(x), late = sqrt(x) + 1, fine = x * 2;
  const Point point{{"x", {1, -2, 3, 4}}};
  const Expr both[] = {late, early};
  const auto found = trace_nan(both, point, batch);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->node, StartsWith("log#"));
  EXPECT_FALSE(trace(fine, point));
}

TEST_F(TraceNan, KeepsNamesOfTheUser) {
  const auto found = trace(exp(named(log(x), "score")), {{"x", {1, -2, 3, 4}}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->node, "score [B, 2]");
}

TEST_F(TraceNan, NamesAConstant) {
  const Expr c = g.constant({2}, {1, nan});
  const auto found = trace(x * c, {{"x", {1, 2, 3, 4}}});
  ASSERT_TRUE(found);
  EXPECT_THAT(found->node, StartsWith("constant#"));
}

TEST_F(TraceNan, NeedsAllInputs) {
  EXPECT_THROW(trace(x * g.input("y", {B, 2}), {{"x", {1, 2, 3, 4}}}), Error);
}

}  // namespace
}  // namespace gradus
