#pragma once

#include <gmock/gmock.h>

#include <cstdint>
#include <ostream>
#include <utility>

#include "gradus/check/gradient_check.hpp"
#include "gradus/graph/graph.hpp"

/// NAME
///   HasCorrectGradients - a GoogleTest matcher for expressions whose gradients are right
///
/// SYNOPSIS
///   #include "gradus/check/matchers.hpp"
///
///   EXPECT_THAT(expr, HasCorrectGradients());
///   EXPECT_THAT(expr, HasCorrectGradients(point));
///   EXPECT_THAT(expr, HasCorrectGradients(point, options, batch));
///   EXPECT_THAT(expr, HasCorrectGradients(options, batch));
///
///   target_link_libraries(my_test PRIVATE gradus::testing gradus::models GTest::gtest_main)
///
/// DESCRIPTION
///   Runs check_gradient (gradus/framework/inspect/gradient_check.hpp) on the expression, with respect to all
///   leaves through which a gradient can flow. It matches when the gradients agree with differences and all
///   that must be true of them beside is.
///
///   point    values of leaves. Those that it lacks are drawn from the standard normal distribution by
///            options.seed and the leaf's name: the same in every run. Leaves that take only some values, as
///            the labels of cross_entropy, must be given.
///   options  as for check_gradient, such as {.order = 2}.
///   batch    what B stands for; 3 unless given. With 1, rules that are wrong for larger batches pass.
///
///   This header is the only one of gradus that needs GoogleTest, and the program that includes it the only
///   one that links it.
///
/// DIAGNOSTICS
///   The failure shows the whole report: each tensor with its worst entries, gradient and difference, what
///   else is broken, and the ops that are wrong by themselves, with the lines that built them. Errors, as for
///   a point with values for half a leaf, are thrown.
///
/// EXAMPLE
///   TEST(Swish, HasTheRightDerivative) {
///     gradus::Graph g;
///     const auto x = g.input("x", {gradus::B, 4});
///     EXPECT_THAT(swish(x), HasCorrectGradients());
///     EXPECT_THAT(mean(swish(x)), HasCorrectGradients({{"x", {-3, 0.5, 0, 8}}}, {.order = 2}, 1));
///   }
///
/// SEE ALSO
///   check_gradient, to name the leaves or to check a hand-derived gradient.
namespace GRADUS_PUBLIC gradus {

/// How GoogleTest prints an expression: "swish#1 [B, 4] at model.cpp:12".
inline void PrintTo(const Expr& expr, std::ostream* out) {
  if (!expr.is_node()) {
    *out << (expr.is_literal() ? "the number " + ::testing::PrintToString(expr.literal()) : "no expression");
    return;
  }
  *out << expr.graph().describe(expr.id());
  const Location& where = expr.graph()[expr.id()].where;
  if (where.known()) *out << " at " << to_string(where);
}

namespace testing {

// Lets "testing::" still mean GoogleTest's within namespace gradus.
using namespace ::testing;

/// The matcher behind `HasCorrectGradients`.
class HasCorrectGradientsMatcher {
 public:
  using is_gtest_matcher = void;  ///< what GoogleTest asks for

  /// Checks at this point.
  HasCorrectGradientsMatcher(Point point, GradientCheckOptions options, std::int64_t batch)
      : point_(std::move(point)), options_(options), batch_(batch) {}

  /// Runs the check.
  bool MatchAndExplain(const Expr& expr, std::ostream* out) const {
    const Point point = random_point(expr, batch_, options_.seed, point_);
    const GradientReport report = check_gradient(expr, point, batch_, options_);
    // Nothing checked is nothing shown.
    const bool ok = report.ok() && !report.tensors.empty();
    if (out != nullptr)
      *out << (report.tensors.empty() ? "for which there is nothing to compare:\n"
                                      : "of which the check says:\n")
           << report.text();
    return ok;
  }

  /// Describes the matcher in messages.
  void DescribeTo(std::ostream* out) const { *out << "has correct gradients for a batch of " << batch_; }
  /// Describes the matcher in messages.
  void DescribeNegationTo(std::ostream* out) const {
    *out << "has a wrong gradient for a batch of " << batch_;
  }

 private:
  Point point_;
  GradientCheckOptions options_;
  std::int64_t batch_;
};

/// Matches an expression whose gradients agree with differences, in a GoogleTest: see above.
inline HasCorrectGradientsMatcher HasCorrectGradients(Point point = {}, GradientCheckOptions options = {},
                                                      std::int64_t batch = 3) {
  return {std::move(point), options, batch};
}
inline HasCorrectGradientsMatcher HasCorrectGradients(GradientCheckOptions options, std::int64_t batch = 3) {
  return {{}, options, batch};
}

}  // namespace testing
}  // namespace gradus
