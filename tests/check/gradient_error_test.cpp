// Every error that differentiating a graph can report, word for word.

#include <gtest/gtest.h>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/custom_op.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/graphs.hpp"

namespace gradus {
namespace {

using test::error_of;

class GradientError : public testing::Test {
 protected:
  Graph g;
  const Expr x = g.input("x", {B});
  const Expr w = g.parameter("w", {3});
  const Expr loss = named(sum(w * w), "loss");
  Graph other;
  const Expr stranger = other.input("stranger", {3});
};

TEST_F(GradientError, OfWhatIsNoScalar) {
  EXPECT_EQ(error_of([&] { grad(x * x, x); }),
            "grad at HERE: the loss must be a scalar; reduce it with sum or mean, or give vjp a cotangent: "
            "mul#4 [B]");
  EXPECT_EQ(
      error_of([&] {
        hvp(w, {&w, 1}, {&w, 1});
      }),
      "grad at HERE: the loss must be a scalar; reduce it with sum or mean, or give vjp a cotangent: w [3]");
}

TEST_F(GradientError, WithRespectToWhatIsNotInTheGraph) {
  EXPECT_EQ(error_of([&] { grad(loss, stranger); }),
            "grad at HERE: the operands come from two graphs: loss [], stranger [3]");
  EXPECT_EQ(error_of([&] {
              vjp({&loss, 1}, {&loss, 1}, {&stranger, 1});
            }),
            "vjp at HERE: the operands come from two graphs: loss [], stranger [3]");
  EXPECT_EQ(error_of([&] {
              jvp({&loss, 1}, {&w, 1}, {&stranger, 1});
            }),
            "jvp at HERE: the operands come from two graphs: loss [], stranger [3]");
}

TEST_F(GradientError, WithRespectToANumberOrNothing) {
  EXPECT_EQ(error_of([&] { grad(loss, 2.0); }), "grad at HERE: a bare number has no shape here: loss [], 2");
  EXPECT_EQ(error_of([&] { grad(loss, Expr()); }),
            "grad at HERE: an operand is empty (it stands for no gradient path): loss [], nothing");
}

TEST_F(GradientError, OfANumberOrNothing) {
  EXPECT_EQ(error_of([&] { grad(2.0, w); }),
            "grad at HERE: at least one operand must be a node of a graph: 2");
  EXPECT_EQ(error_of([&] { grad(Expr(), w); }),
            "grad at HERE: at least one operand must be a node of a graph: nothing");
  EXPECT_EQ(error_of([&] { vjp({}, {}, {&w, 1}); }), "vjp at HERE: there is nothing to differentiate");
  EXPECT_EQ(error_of([&] { jvp({}, {&w, 1}, {&w, 1}); }), "jvp at HERE: there is nothing to differentiate");
}

TEST_F(GradientError, DirectionsThatDoNotFit) {
  const std::vector<Expr> two{w, x};
  EXPECT_EQ(error_of([&] {
              vjp({&w, 1}, {&x, 1}, {&w, 1});
            }),
            "vjp at HERE: the direction must have the value's shape: w [3], x [B]");
  EXPECT_EQ(error_of([&] {
              vjp({&w, 1}, two, {&w, 1});
            }),
            "vjp at HERE: there are 1 values but 2 directions: w [3]");
  EXPECT_EQ(error_of([&] {
              jvp({&loss, 1}, {&w, 1}, {&x, 1});
            }),
            "jvp at HERE: the direction must have the value's shape: w [3], x [B]");
  EXPECT_EQ(error_of([&] {
              jvp({&loss, 1}, two, {&w, 1});
            }),
            "jvp at HERE: there are 2 values but 1 directions: w [3]");
}

// An op whose reverse rule is what the test says.
class Custom final : public OpOf<Custom> {
 public:
  static constexpr std::string_view name = "custom";
  using Rule = std::vector<Expr> (*)(const Vjp&);
  explicit Custom(Rule r) : rule(r) {}
  Traits traits() const override { return {.view = true}; }
  Shape infer(InputShapes inputs) const { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp& v) const override { return rule(v); }

  Rule rule;
};

std::string place_of(const Expr& expr) { return to_string(expr.graph()[expr.id()].where); }

TEST_F(GradientError, InsideOfAReverseRuleCarriesTheLineOfTheForwardNode) {
  const auto rule = [](const Vjp& v) -> std::vector<Expr> { return {matmul(v.cotangent, v.inputs[0])}; };
  const Location forward = Location::current();
  const Expr y = sum(test::apply(Custom(rule), {w}));
  const std::string text = error_of([&] { grad(y, w); });
  EXPECT_EQ(text.substr(0, text.find(": ")),
            "matmul at gradient_error_test.cpp:" + std::to_string(forward.line + 1));
  EXPECT_NE(text.find("both operands must be matrices"), std::string::npos) << text;
}

TEST_F(GradientError, ReverseRuleThatYieldsTheWrongShape) {
  const Expr y =
      test::apply(Custom([](const Vjp& v) -> std::vector<Expr> { return {sum(v.cotangent)}; }), {w});
  EXPECT_EQ(error_of([&] { grad(sum(y), w); }),
            "custom at " + place_of(y) +
                ": the reverse rule yields a cotangent of shape [] for input 0 of shape [3]: custom#4 [3]");
}

TEST_F(GradientError, ReverseRuleThatYieldsTheWrongCount) {
  const Expr y = test::apply(Custom([](const Vjp&) -> std::vector<Expr> { return {}; }), {w});
  EXPECT_EQ(error_of([&] { grad(sum(y), w); }),
            "custom at " + place_of(y) + ": the reverse rule yields 0 cotangents for 1 inputs: custom#4 [3]");
}

}  // namespace
}  // namespace gradus
