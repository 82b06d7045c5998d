// The verifier, shown programs and plans that are right, and the same with one fault each.
#include "framework/compile/verify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/compile/compile.hpp"
#include "framework/compile/extract.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/custom_op.hpp"
#include "tests/support/errors.hpp"

namespace gradus {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// A layer with its loss, and Adam's steps: products, loops with producers, updates in place, outputs.
struct Model {
  Graph g;
  Expr x = g.input("x", {B, 6}), t = g.input("t", {B, 5});
  Expr w = g.parameter("w", {6, 5}), b = g.parameter("b", {5}), rate = g.state("rate", {});
  Expr loss = mse(tanh(matmul(x, w) + b), t);
  std::vector<Update> updates;

  Model() {
    const Expr wrt[] = {w, b};
    const auto gradients = grad(loss, wrt);
    for (std::size_t i = 0; i < 2; ++i) {
      const std::string name = i == 0 ? "w" : "b";
      const Expr m = g.state("m/" + name, wrt[i].shape()), v = g.state("v/" + name, wrt[i].shape());
      const AdamStep step = adam_step(wrt[i], m, v, gradients[i], rate, 1e-7, 0.9, 0.999);
      updates.insert(updates.end(), {{wrt[i], step.w}, {m, step.m}, {v, step.v}});
    }
  }
};

class Verify : public testing::Test {
 protected:
  Plan plan_of(bool optimize = true, Reuse reuse = Reuse::full) {
    return make_plan(std::vector{model.loss}, model.updates,
                     {.dims = 7, .optimize = optimize, .reuse = reuse});
  }
  // The first step that holds.
  template <class F> static Step& step(Plan& plan, F holds) {
    return *std::ranges::find_if(plan.steps, holds);
  }
  static bool is_loop(const Step& s) { return s.kind == Step::Kind::fused && s.operands.size() > 1; }
  static bool is_op(const Step& s) { return s.kind == Step::Kind::op; }

  Model model;
};

TEST_F(Verify, FindsNothingInWhatTheCompilerMakes) {
  for (const bool optimize : {true, false})
    for (const Reuse reuse : {Reuse::full, Reuse::none, Reuse::poisoned}) {
      const Plan plan = plan_of(optimize, reuse);
      EXPECT_THAT(faults_of(plan.program), IsEmpty());
      EXPECT_THAT(faults_of(plan), IsEmpty());
    }
}

TEST_F(Verify, FindsAReadBeforeTheWrite) {
  Plan plan = plan_of();
  std::ranges::reverse(plan.steps);
  EXPECT_THAT(faults_of(plan), Contains(HasSubstr("which nothing has written")));
}

TEST_F(Verify, FindsLiveBuffersThatOverlap) {
  Plan plan = plan_of(false, Reuse::none);
  for (Buffer& buffer : plan.buffers)
    if (buffer.space == Buffer::Space::arena) buffer.offset = buffer.offset / 128 * 64;
  EXPECT_THAT(faults_of(plan), Contains(HasSubstr("which is still needed")));
}

TEST_F(Verify, FindsConstantsAndInputsThatOverlap) {
  Plan plan = plan_of();
  for (Buffer& buffer : plan.buffers)
    if (buffer.space == Buffer::Space::input) buffer.offset = 0;
  EXPECT_THAT(faults_of(plan), Contains(HasSubstr("overlap")));
}

TEST_F(Verify, FindsAWrongShapeInAProgram) {
  const Expr outputs[] = {model.loss};
  Program program = extract(outputs, {});
  const NodeId a = program.outputs.front();
  const Node& node = (*program.graph)[a];
  program.outputs.front() =
      program.graph->append(node.content, {node.inputs.front(), node.inputs.front()}, {Shape{3}}, Location());
  EXPECT_THAT(faults_of(program), Contains(HasSubstr("has another shape than its op infers")));
}

TEST_F(Verify, FindsABufferOfTheWrongSize) {
  Plan plan = plan_of();
  plan.buffers[static_cast<std::size_t>(step(plan, is_op).results.front().buffer)].bytes += 64;
  EXPECT_THAT(faults_of(plan), Contains(HasSubstr("the buffer of")));
}

TEST_F(Verify, FindsNodesOfALoopInTheWrongOrder) {
  Plan plan = plan_of();
  Step& loop = step(plan, [](const Step& s) { return is_loop(s) && s.nodes.size() > 2; });
  std::ranges::reverse(loop.nodes);
  EXPECT_THAT(faults_of(plan), testing::Not(IsEmpty()));
}

TEST_F(Verify, FindsAnUpdateBeforeAReader) {
  Plan plan = plan_of();
  // The step that reads w, moved behind all that update it.
  const auto reader = std::ranges::find_if(plan.steps, [&](const Step& s) {
    return std::ranges::any_of(s.operands, [&](const Operand& o) { return plan.node(o.node).label == "w"; });
  });
  std::rotate(reader, reader + 1, plan.steps.end());
  EXPECT_THAT(faults_of(plan), testing::Not(IsEmpty()));
  Plan swapped = plan_of();
  for (Step& s : swapped.steps)
    for (Operand& operand : s.operands)
      if (swapped.node(operand.node).label == "w") operand.node = swapped.program.updates.front().second;
  EXPECT_THAT(faults_of(swapped), testing::Not(IsEmpty()));
}

TEST_F(Verify, FindsAViewOfADeadBuffer) {
  Graph g;
  const Expr x = g.input("x", {64, 4});
  const Expr outputs[] = {sum(reshape(exp(transpose(x)), {8, 32}), {0}) + sum(sum(tanh(x), {0}))};
  Plan plan = make_plan(outputs, {}, {.dims = 1, .optimize = false});
  ASSERT_THAT(faults_of(plan), IsEmpty());
  // The reader of the view comes last, when another has taken over the memory of what it views.
  const auto reader = std::ranges::find_if(plan.steps, [&](const Step& s) {
    return std::ranges::any_of(s.operands, [&](const Operand& o) { return plan.node(o.node).traits().view; });
  });
  ASSERT_NE(reader, plan.steps.end());
  std::rotate(reader, reader + 1, std::prev(plan.steps.end(), 2));
  EXPECT_THAT(faults_of(plan), testing::Not(IsEmpty()));
}

TEST_F(Verify, FindsAnOffsetBetweenCacheLines) {
  Plan plan = plan_of();
  for (Buffer& buffer : plan.buffers) buffer.offset += 4;
  EXPECT_THAT(faults_of(plan), Contains(HasSubstr("between cache lines")));
}

TEST_F(Verify, FindsWhatLiesOutsideOfItsMemory) {
  Plan plan = plan_of();
  plan.arena_bytes /= 2;
  EXPECT_THAT(faults_of(plan), Contains(HasSubstr("outside of its memory")));
}

TEST_F(Verify, FindsALostUpdate) {
  Plan plan = plan_of();
  std::erase_if(plan.steps, [&](const Step& s) {
    return std::ranges::any_of(s.results, [&](const Step::Result& r) {
      return plan.buffer(r.buffer).space == Buffer::Space::variable;
    });
  });
  EXPECT_THAT(faults_of(plan), Contains(HasSubstr("is not updated")));
}

TEST_F(Verify, FindsALostOutput) {
  Plan plan = plan_of();
  plan.outputs.front() = step(plan, is_loop).operands.back().buffer;
  EXPECT_THAT(faults_of(plan), testing::Not(IsEmpty()));
}

TEST_F(Verify, FindsAnOperandReadInTheWrongWay) {
  Plan plan = plan_of();
  Step& loop = step(plan, [](const Step& s) {
    return std::ranges::any_of(s.operands, [](const Operand& o) { return o.access == Access::row; });
  });
  for (Operand& operand : loop.operands)
    if (operand.access == Access::row) operand.access = Access::full;
  EXPECT_THAT(faults_of(plan), Contains(HasSubstr("which do not fit a loop over")));
}

TEST_F(Verify, FindsAnOpThatReadsAnothersInputs) {
  Plan plan = plan_of(false);
  std::ranges::reverse(step(plan, [](const Step& s) { return is_op(s) && s.operands.size() == 2; }).operands);
  EXPECT_THAT(faults_of(plan), Contains(HasSubstr("does not read its inputs")));
}

TEST_F(Verify, FindsAResultWrittenOverAnOperandThatIsReadLater) {
  Graph g;
  const Expr x = g.parameter("x", {9}), y = g.parameter("y", {9});
  const Expr first = exp(x);
  const std::vector<Update> updates{{x, first}, {y, first * tanh(x)}};
  Plan plan = make_plan({}, updates, {});
  ASSERT_THAT(faults_of(plan), IsEmpty());
  bool deferred = false;
  for (Step& s : plan.steps)
    for (auto& result : s.results) deferred = std::exchange(result.deferred, false) || deferred;
  ASSERT_TRUE(deferred) << "a value is to be written over x, which is still read";
  EXPECT_THAT(faults_of(plan), Contains(HasSubstr("before that is read for the last time")));
}

TEST_F(Verify, FindsAnUpdateOfWhatIsNoVariable) {
  const Expr outputs[] = {model.loss};
  Program program = extract(outputs, model.updates);
  program.updates.front().first = program.inputs.front();
  EXPECT_THAT(faults_of(program), Contains(HasSubstr("is no variable")));
}

TEST_F(Verify, ReportsTheStage) {
  Plan plan = plan_of();
  plan.arena_bytes = 64;
  EXPECT_THAT(test::error_of([&] { require_sound("plan memory", plan.program, &plan); }),
              testing::AllOf(HasSubstr("after stage 'plan memory'"), HasSubstr("a fault of gradus")));
}

}  // namespace
}  // namespace gradus
