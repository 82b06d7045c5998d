// Ops of one's own with several outputs and with workspace, as the guide writes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "gradus/custom_op.hpp"
#include "gradus/gradus.hpp"
#include "snippets/max_with_index.cpp"
#include "snippets/sort.cpp"
#include "tests/support/errors.hpp"
#include "tests/support/evaluate.hpp"

namespace gradus {
namespace {

using test::evaluate;
using testing::ElementsAre;

class OwnOps : public testing::Test {
 protected:
  Graph g;
  const Expr x = g.input("x", {B, 3});
  const test::Feed value{x, {{2, 3}, {1, 5, -2, 7, 0.5, 3}}};
};

TEST_F(OwnOps, ComputeAllOutputs) {
  const std::vector<Expr> found = max_with_index(x);
  const auto values = evaluate(test::Exprs{found[0], found[1], sort(x)}, {value}, 2);
  EXPECT_THAT(values[0], ElementsAre(5, 7));
  EXPECT_THAT(values[1], ElementsAre(1, 0));
  EXPECT_THAT(values[2], ElementsAre(-2, 1, 5, 0.5, 3, 7));
  EXPECT_THAT(evaluate(found[1], {value}, 2), ElementsAre(1, 0)) << "one output alone";
}

TEST_F(OwnOps, HaveTheRightGradientsToOrderTwo) {
  const std::vector<Expr> found = max_with_index(x * x);
  for (const Expr& expr : {found[0] * found[0], exp(found[0]) * found[1], sort(x * x * x), exp(sort(x))}) {
    const auto report = check_gradient(expr, {{"x", value.values}}, 2, {.order = 2});
    EXPECT_TRUE(report.ok()) << report.text();
  }
}

TEST_F(OwnOps, HaveTheSameBitsUnderEveryMemoryPlan) {
  const std::vector<Expr> found = max_with_index(tanh(x));
  test::Exprs exprs{found[0] + found[1], sort(x * found[0].graph().full({B, 3}, 0.3)), exp(found[0])};
  for (const Expr& gradient : vjp(exprs, exprs, std::vector{x})) exprs.push_back(gradient);
  const auto expected = evaluate(exprs, {value}, 2, {.optimize = false, .reuse = Reuse::none});
  for (const bool optimize : {true, false})
    for (const Reuse reuse : {Reuse::full, Reuse::none, Reuse::poisoned})
      for (const int threads : {1, 3})
        EXPECT_EQ(evaluate(exprs, {value}, 2,
                           {.optimize = optimize, .reuse = reuse, .threads = threads, .verify = true}),
                  expected);
}

// As many rows as make threads worth their while, and workspace that each op shares with other temporaries.
TEST_F(OwnOps, ShareTheArenaWithOtherValues) {
  test::Tensor many{{500, 3}, std::vector<double>(1500)};
  for (std::size_t i = 0; i < 1500; ++i) many.values[i] = static_cast<double>(i * 37 % 101);
  const test::Exprs exprs{sum(sort(sort(x) + sort(-x)) * sort(tanh(x)), {0})};
  const auto expected = evaluate(exprs, {{x, many}}, 500, {.reuse = Reuse::none});
  EXPECT_EQ(evaluate(exprs, {{x, many}}, 500, {.verify = true}), expected);
  EXPECT_EQ(evaluate(exprs, {{x, many}}, 500, {.reuse = Reuse::poisoned, .verify = true}), expected);
}

TEST_F(OwnOps, FoldConstantsToo) {
  const Expr constant = g.constant({1, 3}, {3, 1, 2});
  const std::vector<Expr> found = max_with_index(constant);
  EXPECT_THAT(evaluate(sort(constant)), ElementsAre(1, 2, 3));
  EXPECT_THAT(evaluate(found[0] + found[1]), ElementsAre(3));
}

TEST_F(OwnOps, SayWhatIsWrongWithTheUsersLine) {
  const Expr scalar = g.input("scalar", {});
  EXPECT_THAT(test::error_of([&] { sort(scalar); }),
              testing::AllOf(testing::HasSubstr("sort at HERE: "),
                             testing::HasSubstr("a scalar has no last axis: scalar []")));
  EXPECT_THAT(test::error_of([&] { build<Sort>({x}); }), testing::HasSubstr("it has several outputs"));
}

TEST_F(OwnOps, AreShownInDumps) {
  const std::string text = graph_text(std::vector{max_with_index(x)[1]});
  EXPECT_THAT(text, testing::HasSubstr("= max_with_index(x) several outputs"));
  EXPECT_THAT(text, testing::HasSubstr("= output<1>("));
}

}  // namespace
}  // namespace gradus
