// Feeding, running and reading an executable; what it keeps in a store has store_test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "gradus/autodiff/gradient.hpp"
#include "gradus/ops.hpp"
#include "gradus/runtime/executable.hpp"
#include "gradus/runtime/flush_to_zero.hpp"
#include "tests/support/errors.hpp"

namespace gradus {
namespace {

using test::error_of;
using testing::ElementsAre;

class ExecutableTest : public testing::Test {
 protected:
  Graph g;
  const Expr x = g.input("x", {B, 2});
  const Expr y = g.input("y", {2});
  const Expr unused = g.input("unused", {2});
  Store<double> store;
  Executable<double> executable = compile<double>({x * y, sum(x)}, {}, 2, store);
};

TEST_F(ExecutableTest, ComputesWhatItIsFed) {
  executable.feed(x, {1, 2, 3, 4});
  executable.feed("y", {10, 100});
  executable.run();
  EXPECT_THAT(executable.output().values, ElementsAre(10, 200, 30, 400));
  EXPECT_EQ(executable.output().extents, (Extents{2, 2}));
  EXPECT_EQ(executable.output(1).item(), 10);
  EXPECT_EQ(executable.output(1).extents, Extents{});
  EXPECT_EQ(static_cast<double>(executable.output(1)), 10);
  EXPECT_EQ(executable.batch(), 2);
}

TEST_F(ExecutableTest, KeepsWhatItWasFedUntilItIsFedAgain) {
  executable.feed(x, {1, 2, 3, 4});
  executable.feed(y, {1, 1});
  executable.run();
  executable.feed(y, {2, 3});
  executable.run();
  EXPECT_THAT(executable.output().values, ElementsAre(2, 6, 6, 12));
}

TEST_F(ExecutableTest, TakesWhatIsWrittenToAnInputsOwnMemory) {
  const std::span<double> memory = executable.buffer(x);
  ASSERT_EQ(memory.size(), 4U);
  std::ranges::fill(memory, 3.0);
  const std::vector<double> ys{1, 2};
  executable.feed(y, ys, {2});
  executable.run();
  EXPECT_THAT(executable.output().values, ElementsAre(3, 6, 3, 6));
}

TEST_F(ExecutableTest, KnowsItsInputs) {
  EXPECT_TRUE(executable.has_input("x"));
  EXPECT_FALSE(executable.has_input("unused"));
}

TEST_F(ExecutableTest, CanBeMoved) {
  executable.feed(x, {1, 2, 3, 4});
  executable.feed(y, {1, 1});
  Executable<double> moved = std::move(executable);
  moved.run();
  EXPECT_EQ(moved.output(1).item(), 10);
}

TEST_F(ExecutableTest, RefusesAWrongCount) {
  EXPECT_EQ(error_of([&] { executable.feed(x, {1, 2, 3}); }), "feed: 'x' has shape [2, 2]: 4 values, not 3");
  EXPECT_EQ(error_of([&] { executable.feed("y", {1, 2, 3}); }), "feed: 'y' has shape [2]: 2 values, not 3");
}

TEST_F(ExecutableTest, RefusesAWrongShape) {
  const std::vector<double> four(4);
  const std::string remedy = "; reshape or transpose the values, or compile for another batch";
  EXPECT_EQ(error_of([&] { executable.feed(x, four, {4}); }), "feed: 'x' has shape [2, 2], not [4]" + remedy);
  EXPECT_EQ(error_of([&] {
              executable.feed(x, four, {4, 1});
            }),
            "feed: 'x' has shape [2, 2], not [4, 1]" + remedy);
}

TEST_F(ExecutableTest, RefusesWhatIsNoInput) {
  Graph other;
  const Expr stranger = other.input("x", {B, 2});
  const std::string inputs = " is not an input of this program; its inputs are: x, y";
  EXPECT_EQ(error_of([&] { executable.feed("z", {1}); }), "feed: 'z'" + inputs);
  EXPECT_EQ(error_of([&] { executable.feed(unused, {1, 2}); }), "feed: unused [2]" + inputs);
  EXPECT_EQ(error_of([&] { executable.feed(x * y, {1}); }), "feed: mul#4 [B, 2]" + inputs);
  EXPECT_EQ(error_of([&] {
              executable.feed(stranger, {1, 2, 3, 4});
            }),
            "feed: x [B, 2]" + inputs)
      << "an input of another graph, even of the same name";
  EXPECT_EQ(error_of([&] { executable.buffer(unused); }), "feed: unused [2]" + inputs);
  auto without = compile<double>({g.full({2}, 1.0)}, {}, 1, store);
  EXPECT_EQ(error_of([&] { without.feed("x", {1}); }),
            "feed: 'x' is not an input of this program; its inputs are: none");
}

TEST_F(ExecutableTest, RefusesToRunUnfed) {
  EXPECT_EQ(error_of([&] { executable.run(); }), "run: input 'x' [2, 2] was never fed");
  executable.feed(x, {1, 2, 3, 4});
  EXPECT_EQ(error_of([&] { executable.run(); }), "run: input 'y' [2] was never fed");
  EXPECT_ANY_THROW(executable.feed(y, {1}));
  EXPECT_EQ(error_of([&] { executable.run(); }), "run: input 'y' [2] was never fed");
  executable.feed(y, {1, 2});
  EXPECT_EQ(error_of([&] { executable.run(); }), "no error");
}

TEST_F(ExecutableTest, RefusesAnOutputOrAnItemThatIsNotThere) {
  EXPECT_EQ(error_of([&] { executable.output(2); }), "output: there is no output 2; the program has 2");
  EXPECT_EQ(error_of([&] { executable.output(0).item(); }),
            "item: the output has shape [2, 2], not one element");
  auto one = compile<double>({g.full({1, 1}, 7.0)}, {}, 1, store);
  one.run();
  EXPECT_EQ(one.output().item(), 7);
}

TEST_F(ExecutableTest, RefusesABatchBelowOneOrTooSmallForAShape) {
  EXPECT_EQ(error_of([&] { compile<double>({x}, {}, 0, store); }),
            "compile: the batch is 0; it must be at least 1");
  EXPECT_EQ(error_of([&] { compile<double>({x}, {}, -3, store); }),
            "compile: the batch is -3; it must be at least 1");
  EXPECT_THAT(error_of([&] { compile<double>({slice(x, 0, 1, B)}, {}, 1, store); }),
              testing::HasSubstr("extent B-1 is 0 for batch 1; it must be at least 1"));
}

TEST_F(ExecutableTest, RefusesExpressionsOfTwoGraphs) {
  Graph other;
  const Expr stranger = other.input("stranger", {2});
  EXPECT_THAT(
      error_of([&] {
        compile<double>({x, stranger}, {}, 1, store);
      }),
      testing::MatchesRegex("compile: stranger .2. at executable_test.cpp:[0-9]+ is of another graph than "
                            "x .B, 2. at executable_test.cpp:[0-9]+"));
}

TEST_F(ExecutableTest, OneExpressionMayBeSeveralOutputs) {
  auto twice = compile<double>({y, y * 2, y * 2}, {}, 1, store);
  twice.feed(y, {1, 2});
  twice.run();
  EXPECT_THAT(twice.output(0).values, ElementsAre(1, 2));
  EXPECT_THAT(twice.output(1).values, ElementsAre(2, 4));
  EXPECT_THAT(twice.output(2).values, ElementsAre(2, 4));
}

TEST(RunErrors, CarryTheOpAndTheLineAndLeaveTheExecutableUsable) {
  Graph g;
  const Expr labels = g.input("labels", {B});
  const Location line = Location::current();
  const Expr hot = one_hot(labels, 3);
  const std::string place = "one_hot at executable_test.cpp:" + std::to_string(line.line + 1);
  Store<float> store;
  auto executable = compile<float>({hot}, {}, 2, store);
  executable.feed(labels, {0, 3});
  EXPECT_EQ(error_of([&] { executable.run(); }),
            place + ": the label in row 1 is 3, not a class index from 0 to 2");
  executable.feed(labels, {-1, 0});
  EXPECT_EQ(error_of([&] { executable.run(); }),
            place + ": the label in row 0 is -1, not a class index from 0 to 2");
  executable.feed(labels, {0, 1.5F});
  EXPECT_EQ(error_of([&] { executable.run(); }),
            place + ": the label in row 1 is 1.5, not a class index from 0 to 2");
  executable.feed(labels, {2, 0});
  executable.run();
  EXPECT_THAT(executable.output().values, ElementsAre(0, 0, 1, 1, 0, 0));
}

TEST(RunErrors, InALossCarryTheLineOfTheLoss) {
  Graph g;
  const Expr logits = g.input("logits", {B, 3}), labels = g.input("labels", {B});
  const Location line = Location::current();
  const Expr loss = cross_entropy(logits, labels);
  Store<double> store;
  auto executable = compile<double>({loss}, {}, 1, store);
  executable.feed(logits, {1, 2, 3});
  executable.feed(labels, {7});
  EXPECT_EQ(error_of([&] { executable.run(); }),
            "one_hot at executable_test.cpp:" + std::to_string(line.line + 1) +
                ": the label in row 0 is 7, not a class index from 0 to 2");
}

TEST(RunErrors, OfAConstantCarryTheOpAndTheLineToo) {
  Graph g;
  Store<double> store;
  const Location line = Location::current();
  const Expr hot = one_hot(g.constant({2}, {0, 7}), 3);
  const std::string expected = "one_hot at executable_test.cpp:" + std::to_string(line.line + 1) +
                               ": the label in row 1 is 7, not a class index from 0 to 2";
  for (const bool optimize : {false, true}) {
    // Computed when it is run, or folded when it is compiled.
    EXPECT_EQ(error_of([&] { compile<double>({hot}, {}, 1, store, {.optimize = optimize}).run(); }),
              expected);
  }
}

#if defined(__SSE2__)
TEST(Denormals, CountAsZeroWithinARunAndTheCallersModeIsKept) {
  Graph g;
  const Expr x = g.input("x", {});
  const Expr labels = g.input("labels", {1});
  Store<double> store;
  auto executable = compile<double>({x * 2}, {}, 1, store);
  auto failing = compile<double>({one_hot(labels, 2)}, {}, 1, store);
  executable.feed(x, {1e-310});
  failing.feed(labels, {5});
  const unsigned before = _mm_getcsr();
  constexpr unsigned flush = 0x8040;
  constexpr unsigned exception_flags = 0x3F;
  // Clear twice: the first run must not leave behind what the last one takes for granted.
  for (const unsigned mode : {before & ~flush, before | flush, before & ~flush}) {
    _mm_setcsr(mode);
    executable.run();
    const unsigned after_run = _mm_getcsr();
    EXPECT_THROW(failing.run(), Error);
    const unsigned after_error = _mm_getcsr();
    _mm_setcsr(before);
    EXPECT_EQ(after_run & ~exception_flags, mode & ~exception_flags);
    EXPECT_EQ(after_error & ~exception_flags, mode & ~exception_flags);
    EXPECT_EQ(executable.output().item(), 0.0);
  }
}

TEST(Denormals, CountAsZeroFromTheFirstFlushToTheLast) {
  const unsigned before = _mm_getcsr();
  constexpr unsigned flush = 0x8040;
  _mm_setcsr(before & ~flush);
  const auto is_flushing = [] { return (_mm_getcsr() & flush) == flush; };
  Graph g;
  Store<double> store;
  auto executable = compile<double>({g.parameter("w", {}) * 2}, {}, 1, store);
  std::vector<bool> seen;
  auto outer = std::make_unique<FlushToZero>();
  executable.run();
  seen.push_back(is_flushing());
  auto inner = std::make_unique<FlushToZero>();
  outer.reset();
  seen.push_back(is_flushing());
  executable.run();
  seen.push_back(is_flushing());
  inner.reset();
  seen.push_back(is_flushing());
  _mm_setcsr(before);
  EXPECT_EQ(seen, (std::vector{true, true, true, false}));
}
#endif

}  // namespace
}  // namespace gradus
