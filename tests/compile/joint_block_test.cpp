// Ops that are one loop where they meet in a fused program, against the same ops one by one. ctest runs this
// program once for each instruction set.
#include <gtest/gtest.h>

#include "framework/compile/elementwise_program.hpp"
#include "framework/compile/plan.hpp"
#include "gradus/base/random.hpp"
#include "gradus/custom_op.hpp"
#include "tests/support/framework_support.hpp"

namespace gradus {
namespace {

class PlusOne final : public Undifferentiable<PlusOne, 1> {
 public:
  static constexpr std::string_view name = "plus_one";
  template <class T>
  static T f(T x) {
    return x + 1;
  }
};

// Whose first operand may be made on the way, and is then not to be read as the second.
class Digits final : public Undifferentiable<Digits, 2> {
 public:
  static constexpr std::string_view name = "digits";
  using Makers = std::tuple<PlusOne, Given>;
  template <class T>
  static T f(T tens, T ones) {
    return 10 * tens + ones;
  }
};

// How many loops a program becomes that is one step.
template <class T>
std::size_t loops(const std::vector<Expr>& outputs, std::int64_t batch) {
  const Plan plan = make_plan(optimize(extract(outputs, {}), batch), batch, sizeof(T), {});
  EXPECT_EQ(plan.steps.size(), 1U);
  const Step& step = plan.steps.front();
  std::vector<std::vector<T>> buffers(step.operands.size() + step.results.size(),
                                      std::vector<T>(static_cast<std::size_t>(batch)));
  std::vector<const T*> operands;
  std::vector<T*> results;
  for (std::vector<T>& buffer : buffers)
    if (operands.size() < step.operands.size())
      operands.push_back(buffer.data());
    else
      results.push_back(buffer.data());
  const ElementwiseProgram<T> program(plan, step, operands, results);
  return program.straight().value().calls.size();
}

template <class T>
class JointBlock : public testing::Test {
 protected:
  struct Updated {
    Expr m, v, w;
  };

  // Adam's, of the inputs.
  Updated updated(Expr direction_of, Expr square_of, Expr rate) const {
    const Expr m = moving_average(m_, direction_of, 0.9), v = moving_square(v_, square_of, 0.99);
    return {m, v, adaptive_descend(w_, m, v, rate, 1e-3)};
  }
  const Op* op(const Expr& x) const { return graph_[x.id()].op.get(); }
  Expr input(const char* name, const Shape& shape) { return graph_.input(name, shape); }
  std::vector<T> random(std::int64_t count, std::uint64_t seed) const {
    Random numbers(seed);
    std::vector<T> values;
    for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<T>(numbers.uniform(0.1, 2)));
    return values;
  }

  Graph graph_;
  Expr w_ = input("w", {B}), m_ = input("m", {B}), v_ = input("v", {B}), gradient_ = input("gradient", {B});
  Expr rate_ = input("rate", {});
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(JointBlock, Types);

TYPED_TEST(JointBlock, HasTheBitsOfItsOpsOneByOne) {
  using T = TypeParam;
  const auto [m, v, w] = this->updated(this->gradient_, this->gradient_, this->rate_);
  const Op *const average = this->op(m), *const square = this->op(v), *const descend = this->op(w);
  const std::vector<const Op*> makers{nullptr, average, square, nullptr, nullptr};
  const Block<T> joint = descend->joint_block(T{}, makers, 0b11000);
  ASSERT_NE(joint, nullptr);
  for (const std::int64_t count : {1, 2, 3, 7, 16, 17, 63, 100, 1025}) {
    SCOPED_TRACE(count);
    std::vector<T> weights = this->random(count, 1), averages = this->random(count, 2),
                   squares = this->random(count, 3);
    const std::vector<T> gradients = this->random(count, 4);
    const T rate = T(0.01), epsilon = T(1e-3);
    auto expected_weights = weights, expected_averages = averages, expected_squares = squares;
    const auto alone = [&](const Op* op, unsigned scalars, std::vector<const T*> inputs, T* output) {
      op->block(T{}, scalars)(&op, inputs.data(), &output, static_cast<std::size_t>(count));
    };
    alone(average, 0, {expected_averages.data(), gradients.data()}, expected_averages.data());
    alone(square, 0, {expected_squares.data(), gradients.data()}, expected_squares.data());
    alone(descend, 0b11000,
          {expected_weights.data(), expected_averages.data(), expected_squares.data(), &rate, &epsilon},
          expected_weights.data());
    const std::vector<const Op*> ops{descend, average, square};
    const std::vector<const T*> inputs{weights.data(),   averages.data(), gradients.data(), squares.data(),
                                       gradients.data(), &rate,           &epsilon};
    const std::vector<T*> outputs{weights.data(), averages.data(), squares.data()};
    joint(ops.data(), inputs.data(), outputs.data(), static_cast<std::size_t>(count));
    EXPECT_EQ(weights, expected_weights);
    EXPECT_EQ(averages, expected_averages);
    EXPECT_EQ(squares, expected_squares);
  }
}

TYPED_TEST(JointBlock, IsOfItsMakersAlone) {
  const auto [m, v, w] = this->updated(this->gradient_, this->gradient_, this->rate_);
  const Op *const average = this->op(m), *const square = this->op(v), *const descend = this->op(w);
  const auto joint = [&](const Op* op, std::vector<const Op*> makers, unsigned scalars) {
    return op->joint_block(TypeParam{}, makers, scalars);
  };
  EXPECT_NE(joint(descend, {nullptr, average, square, nullptr, nullptr}, 0b11000), nullptr);
  EXPECT_EQ(joint(descend, {nullptr, average, square, nullptr, nullptr}, 0), nullptr);
  EXPECT_EQ(joint(descend, {nullptr, square, average, nullptr, nullptr}, 0b11000), nullptr);
  EXPECT_EQ(joint(descend, {nullptr, average, nullptr, nullptr, nullptr}, 0b11000), nullptr);
  EXPECT_EQ(joint(descend, {average, average, square, nullptr, nullptr}, 0b11000), nullptr);
  EXPECT_EQ(joint(average, {nullptr, square}, 0), nullptr);
}

TYPED_TEST(JointBlock, IsTakenWhereverItMay) {
  using T = TypeParam;
  const auto [m, v, w] = this->updated(this->gradient_, this->gradient_, this->rate_);
  EXPECT_EQ(loops<T>({w, m, v}, 50), 1U);
  EXPECT_EQ(loops<T>({sigmoid(this->m_ + this->v_)}, 50), 1U);
  EXPECT_EQ(loops<T>({sigmoid(this->m_ + this->rate_)}, 50), 2U);  // a number is not added by that loop
  const Expr made = build<PlusOne>({this->m_});
  EXPECT_EQ(loops<T>({build<Digits>({made, this->v_})}, 50), 1U);
  EXPECT_EQ(loops<T>({build<Digits>({made, made})}, 50), 2U);
}

// What runs: fused, where the loop is one, and step by step. The last of Adam's takes v from the new m, so
// that it must wait.
TYPED_TEST(JointBlock, GivesAProgramTheSameNumbers) {
  using T = TypeParam;
  const Expr factor = this->input("factor", {B});
  const Expr scaled = this->gradient_ * factor;
  const Expr average = moving_average(this->m_, scaled, 0.9);
  const auto once = this->updated(this->gradient_, this->gradient_, this->rate_);
  const auto twice = this->updated(scaled, factor, this->rate_);
  const auto waiting = this->updated(scaled, average, this->rate_);
  const Expr made = build<PlusOne>({this->m_}), bias = this->m_ + this->rate_;
  const std::vector<typename JointBlock<T>::Updated> others{
      {sigmoid(this->m_ + factor), sigmoid(bias), build<Digits>({made, factor})},
      {bias, made, build<Digits>({made, made})}};
  for (const auto& [m, v, w] : {once, twice, waiting, others[0], others[1]})
    for (const bool stored : {false, true})
      for (const std::int64_t batch : {1, 2, 50, 9000}) {
        SCOPED_TRACE(batch);
        const std::vector<Expr> outputs = stored ? std::vector{w, m, v} : std::vector{w};
        std::vector<test::Feed> feeds{{this->rate_, {0.01}}};
        for (const Expr& input : {this->w_, this->m_, this->v_, this->gradient_, factor}) {
          const auto values = this->random(batch, feeds.size());
          feeds.push_back({input, {values.begin(), values.end()}});
        }
        std::vector<std::vector<T>> results[2];
        for (const bool optimize : {false, true}) {
          Store<T> store;
          auto executable = compile<T>(std::span(outputs), {}, batch, store, {.optimize = optimize});
          test::feed(executable, feeds);
          executable.run();
          for (std::size_t i = 0; i < outputs.size(); ++i)
            results[optimize ? 1 : 0].push_back(test::values_of(executable, i));
        }
        EXPECT_EQ(results[0], results[1]);
      }
}

}  // namespace
}  // namespace gradus
