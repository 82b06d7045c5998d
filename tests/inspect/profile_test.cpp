#include "gradus/inspect/profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/compile/plan.hpp"
#include "gradus/inspect/draw.hpp"
#include "gradus/inspect/dump.hpp"
#include "gradus/nn/initializers.hpp"
#include "gradus/ops.hpp"
#include "tests/support/evaluate.hpp"

namespace gradus {
namespace {

TEST(Profile, CountsOperationsAndBytesOfEachStep) {
  Graph g;
  const Expr x = g.input("x", {B, 5}), w = g.parameter("w", {5, 7});
  const Expr hidden = named(relu(matmul(x, w) + 1), "hidden");
  Store<float> store;
  auto program = compile<float>({hidden, sum(hidden)}, {{w, w * 0.5}}, 3, store);
  test::feed(program, {{x, std::vector<double>(15, 1)}});
  const Profile made = profile(program, 5);

  ASSERT_EQ(made.steps.size(), program.plan().steps.size());
  const auto step = [&](std::string_view ops) {
    const auto found = std::ranges::find(made.steps, ops, &StepCost::ops);
    return found == made.steps.end() ? StepCost{} : *found;
  };
  const StepCost layer = step("matmul add relu");
  EXPECT_EQ(layer.name, "hidden");
  EXPECT_EQ(layer.flop, 2 * 3 * 5 * 7 + 2 * 3 * 7);
  EXPECT_EQ(layer.bytes, 4 * (3 * 5 + 5 * 7 + 3 * 7));
  EXPECT_EQ(step("sum").flop, 3 * 7);
  EXPECT_EQ(step("mul").name, "w");
  for (const StepCost& cost : made.steps) EXPECT_GE(cost.nanoseconds, 0);
  EXPECT_GT(made.run_nanoseconds, 0);

  const std::string text = profile_text(made);
  EXPECT_THAT(text, testing::HasSubstr("matmul add relu -> hidden"));
  EXPECT_THAT(text, testing::HasSubstr("GFLOP/s"));
}

TEST(Profile, RunsTheProgram) {
  Graph g;
  const Expr w = g.parameter("w", {}, constant(1.0));
  Store<double> store;
  auto program = compile<double>({}, {{w, w + 1}}, 1, store);
  profile(program, 3);
  EXPECT_EQ(store.values("w")[0], 7) << "three runs as they are, and three step by step";
}

TEST(Profile, ColoursThePlan) {
  Graph g;
  const Expr x = g.input("x", {B, 4});
  Store<float> store;
  const auto program = compile<float>({exp(x), softmax(x)}, {}, 2, store);
  const std::vector<double> shares{0.25, 0.75};
  const std::string dot = plan_dot(program.plan(), shares);
  EXPECT_THAT(dot, testing::HasSubstr("25.0 %"));
  EXPECT_THAT(dot, testing::HasSubstr("fillcolor=\"0.03 0.75 1\""));
  EXPECT_THAT(plan_dot(program.plan()), testing::Not(testing::HasSubstr("%")));
}

}  // namespace
}  // namespace gradus
