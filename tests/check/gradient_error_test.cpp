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
  EXPECT_EQ(
      error_of([&] { grad(x * x, x); }),
      "grad: the loss must be a scalar, but mul#4 [B] is not; reduce it with sum or mean, or give vjp a "
      "cotangent");
  EXPECT_EQ(error_of([&] {
              hvp(w, {&w, 1}, {&w, 1});
            }),
            "grad: the loss must be a scalar, but w [3] is not; reduce it with sum or mean, or give vjp a "
            "cotangent");
}

TEST_F(GradientError, WithRespectToWhatIsNotInTheGraph) {
  EXPECT_EQ(error_of([&] { grad(loss, stranger); }), "grad: stranger [3] is not in the graph of loss []");
  EXPECT_EQ(error_of([&] {
              vjp({&loss, 1}, {&loss, 1}, {&stranger, 1});
            }),
            "vjp: stranger [3] is not in the graph of loss []");
  EXPECT_EQ(error_of([&] {
              jvp({&loss, 1}, {&w, 1}, {&stranger, 1});
            }),
            "jvp: stranger [3] is not in the graph of loss []");
}

TEST_F(GradientError, WithRespectToANumberOrNothing) {
  EXPECT_EQ(error_of([&] { grad(loss, 2.0); }),
            "the number 2 stands alone: it has no graph and no shape until it meets a node; use "
            "graph.full(shape, 2) instead");
  EXPECT_EQ(error_of([&] { grad(loss, Expr()); }),
            "an empty expression was used: it stands for no value (no gradient path)");
}

TEST_F(GradientError, OfANumberOrNothing) {
  EXPECT_EQ(error_of([&] { grad(2.0, w); }),
            "the number 2 stands alone: it has no graph and no shape until it meets a node; use "
            "graph.full(shape, 2) instead");
  EXPECT_EQ(error_of([&] { grad(Expr(), w); }),
            "an empty expression was used: it stands for no value (no gradient path)");
  EXPECT_EQ(error_of([&] { vjp({}, {}, {&w, 1}); }), "vjp: there is nothing to differentiate");
  EXPECT_EQ(error_of([&] { jvp({}, {&w, 1}, {&w, 1}); }), "jvp: there is nothing to differentiate");
}

TEST_F(GradientError, DirectionsThatDoNotFit) {
  const std::vector<Expr> two{w, x};
  EXPECT_EQ(error_of([&] {
              vjp({&w, 1}, {&x, 1}, {&w, 1});
            }),
            "vjp: the direction has shape [B], not that of w [3]");
  EXPECT_EQ(error_of([&] { vjp({&w, 1}, two, {&w, 1}); }), "vjp: 1 values but 2 directions");
  EXPECT_EQ(error_of([&] {
              jvp({&loss, 1}, {&w, 1}, {&x, 1});
            }),
            "jvp: the direction has shape [B], not that of w [3]");
  EXPECT_EQ(error_of([&] { jvp({&loss, 1}, two, {&w, 1}); }), "jvp: 2 values but 1 directions");
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
