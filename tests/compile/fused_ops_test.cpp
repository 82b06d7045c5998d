// Ops that are one loop over several values, against the same formulas op by op. ctest runs this program once
// for each instruction set.
#include <gtest/gtest.h>

#include "gradus/base/random.hpp"
#include "gradus/ops.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/graphs.hpp"

namespace gradus {
namespace {

using test::op_counts;

template <class T> class FusedOps : public testing::Test {
 protected:
  struct Step {
    Expr w, m, v;
    std::vector<Expr> exprs(bool all) const { return all ? std::vector{w, m, v} : std::vector{w}; }
  };
  Expr input(const char* name) { return graph_.input(name, {B}); }
  // Adam's step op by op.
  Step apart(const Expr& g) const {
    const Expr m = moving_average(m_, g, 0.9), v = moving_square(v_, g, 0.99);
    return {adaptive_step(w_, m, v, rate_, 1e-3), m, v};
  }
  Step at_once(const Expr& g) const {
    const AdamStep step = adam_step(w_, m_, v_, g, rate_, 1e-3, 0.9, 0.99);
    return {step.w, step.m, step.v};
  }
  std::vector<std::vector<T>> run(const std::vector<Expr>& outputs, std::int64_t batch,
                                  CompileOptions options = {}) const {
    Store<T> store;
    options.verify = true;
    auto program = compile<T>(std::span(outputs), {}, batch, store, options);
    for (const Expr& input : {w_, m_, v_, g_, rate_}) {
      const std::string& name = input.graph()[input.id()].label;
      Random random(1, stream_of(name));
      std::vector<T> values(input.shape().rank() == 0 ? 1 : static_cast<std::size_t>(batch));
      for (T& value : values) value = static_cast<T>(random.uniform(0.1, 2));
      if (program.has_input(name)) program.feed(name, values);
    }
    program.run();
    std::vector<std::vector<T>> found;
    for (std::size_t i = 0; i < outputs.size(); ++i) found.push_back(test::values_of(program, i));
    return found;
  }

  Graph graph_;
  Expr w_ = input("w"), m_ = input("m"), v_ = input("v"), g_ = input("g");
  Expr rate_ = graph_.input("rate", {});
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(FusedOps, Types);

TYPED_TEST(FusedOps, AdamHasTheBitsOfItsPartsUnderEveryPlan) {
  const Expr scaled = this->g_ * this->g_;
  for (const bool all : {true, false})
    for (const Expr& gradient : {this->g_, scaled})
      for (const std::int64_t batch : {1, 2, 3, 7, 16, 17, 63, 100, 1025, 9000}) {
        SCOPED_TRACE(batch);
        const auto expected = this->run(this->apart(gradient).exprs(all), batch, {.optimize = false});
        for (const bool optimize : {true, false})
          for (const Reuse reuse : {Reuse::full, Reuse::none, Reuse::poisoned})
            EXPECT_EQ(
                this->run(this->at_once(gradient).exprs(all), batch, {.optimize = optimize, .reuse = reuse}),
                expected);
      }
}

TYPED_TEST(FusedOps, SigmoidOfASumHasTheBitsOfBoth) {
  const Expr sum = this->m_ + this->v_, bias = this->m_ + this->rate_;
  for (const auto& outputs : {std::vector{sigmoid(sum)}, std::vector{sigmoid(sum), sum},
                              std::vector{sigmoid(bias), bias}, std::vector{sigmoid(bias) * sigmoid(sum)}})
    for (const std::int64_t batch : {1, 2, 50, 9000})
      EXPECT_EQ(this->run(outputs, batch), this->run(outputs, batch, {.optimize = false}));
}

TYPED_TEST(FusedOps, AreFoundWhenAProgramIsCompiled) {
  Store<TypeParam> store;
  const auto program = compile<TypeParam>({sigmoid(this->m_ + this->v_)}, {}, 5, store);
  EXPECT_EQ(op_counts(program), (test::OpCounts{{"input", 2}, {"sigmoid_of_sum", 1}}));
}

}  // namespace
}  // namespace gradus
