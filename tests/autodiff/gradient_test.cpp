#include "gradus/autodiff/gradient.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "gradus/custom_op.hpp"
#include "gradus/graph/op_of.hpp"
#include "gradus/ops.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/numbers.hpp"

namespace gradus {
namespace {

using test::evaluate;
using test::Feed;
using test::some_values;

// A few units in the last place of numbers around 1.
constexpr double tolerance = 1e-13;

void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
  test::expect_near(found, expected, tolerance, tolerance);
}

using Function = std::function<double(double)>;

// f and its derivatives, built by differentiating again and again, against closed forms at some points.
void expect_derivatives(const std::function<Expr(const Expr&)>& build,
                        const std::vector<Function>& closed_forms) {
  const std::vector<double> points{-1.75, -0.5, 0.0, 0.3, 1.25};
  Graph g;
  const Expr x = g.input("x", {5});
  Expr derivative = build(x);
  for (std::size_t order = 0; order < closed_forms.size(); ++order) {
    SCOPED_TRACE("order " + std::to_string(order));
    if (order > 0) derivative = grad(sum(derivative), x);
    std::vector<double> expected;
    for (const double p : points) expected.push_back(closed_forms[order](p));
    expect_near(evaluate(derivative, {{x, points}}), expected);
  }
}

TEST(Orders, OfTheFifthPower) {
  const std::vector<Function> closed_forms{
      [](double x) { return x * x * x * x * x; },
      [](double x) { return 5 * x * x * x * x; },
      [](double x) { return 20 * x * x * x; },
      [](double x) { return 60 * x * x; },
      [](double x) { return 120 * x; },
      [](double) { return 120.0; },
      [](double) { return 0.0; },
  };
  expect_derivatives([](const Expr& x) { return x * x * x * x * x; }, closed_forms);
  expect_derivatives([](const Expr& x) { return square(square(x)) * x; }, closed_forms);
  expect_derivatives([](const Expr& x) { return pow(x, 5); }, closed_forms);
}

TEST(Orders, OfTanh) {
  const auto form = [](const std::function<double(double)>& of_t) {
    return [of_t](double x) { return of_t(std::tanh(x)); };
  };
  expect_derivatives([](const Expr& x) { return tanh(x); },
                     {form([](double t) { return t; }), form([](double t) { return 1 - t * t; }),
                      form([](double t) { return -2 * t * (1 - t * t); }),
                      form([](double t) { return (1 - t * t) * (6 * t * t - 2); }),
                      form([](double t) { return 8 * t * (1 - t * t) * (2 - 3 * t * t); })});
}

TEST(Orders, OfTheBellCurveAreHermitePolynomials) {
  const auto bell = [](double x) { return std::exp(-x * x / 2); };
  expect_derivatives(
      [](const Expr& x) { return exp(-square(x) / 2); },
      {bell, [=](double x) { return -x * bell(x); }, [=](double x) { return (x * x - 1) * bell(x); },
       [=](double x) { return (3 * x - x * x * x) * bell(x); },
       [=](double x) { return (x * x * x * x - 6 * x * x + 3) * bell(x); }});
}

TEST(Grad, OfACompositeFunction) {
  // f = tanh(eˣ / (1 + x²))
  const auto inner = [](double x) { return std::exp(x) / (1 + x * x); };
  expect_derivatives([](const Expr& x) { return tanh(exp(x) / (1 + square(x))); },
                     {[=](double x) { return std::tanh(inner(x)); },
                      [=](double x) {
                        const double t = std::tanh(inner(x));
                        return (1 - t * t) * inner(x) * (1 - 2 * x / (1 + x * x));
                      }});
}

TEST(Grad, OfAMatrixProduct) {
  Graph g;
  const Expr a = g.input("a", {2, 3}), b = g.input("b", {3, 2}), c = g.input("c", {2, 2});
  const Feed fa{a, some_values(6)}, fb{b, some_values(6, 2, 2)}, fc{c, some_values(4, 1, 3)};
  const auto gradients = grad(sum(matmul(a, b) * c), std::vector{a, b});
  std::vector<double> da(6), db(6);
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t k = 0; k < 3; ++k)
      for (std::size_t j = 0; j < 2; ++j) {
        da[i * 3 + k] += fc.values[i * 2 + j] * fb.values[k * 2 + j];
        db[k * 2 + j] += fa.values[i * 3 + k] * fc.values[i * 2 + j];
      }
  expect_near(evaluate(gradients[0], {fb, fc}), da);
  expect_near(evaluate(gradients[1], {fa, fc}), db);
}

// The count of [B, 2B] elements has no form a·B + c, and is not needed.
TEST(Grad, OfABroadcastBesideTwoBatchAxes) {
  Graph g;
  const Expr x = g.input("x", {B, 2 * B, 1});
  const Expr dx = grad(sum(broadcast_to(x, {B, 2 * B, 5})), x);
  EXPECT_EQ(dx.shape(), x.shape());
  expect_near(evaluate(dx, {{x, {3, 4}}}, 1), {5, 5});
}

TEST(Grad, OfABroadcastOperandSumsOverWhatItRepeats) {
  Graph g;
  const Expr x = g.input("x", {B, 3}), row = g.input("row", {3}), column = g.input("column", {B, 1}),
             scalar = g.input("scalar", {});
  const auto xs = some_values(6);
  const Expr loss = sum(x * (row + column + scalar));
  const auto gradients = grad(loss, std::vector{row, column, scalar});
  expect_near(evaluate(gradients[0], {{x, xs}}, 2), {xs[0] + xs[3], xs[1] + xs[4], xs[2] + xs[5]});
  expect_near(evaluate(gradients[1], {{x, xs}}, 2), {xs[0] + xs[1] + xs[2], xs[3] + xs[4] + xs[5]});
  expect_near(evaluate(gradients[2], {{x, xs}}, 2), {xs[0] + xs[1] + xs[2] + xs[3] + xs[4] + xs[5]});
}

TEST(Grad, OfAMeanDividesByTheBatch) {
  Graph g;
  const Expr x = g.input("x", {B, 2});
  const Expr gradient = grad(mean(3 * x), x);
  for (const std::int64_t batch : {1, 4, 5})
    expect_near(evaluate(gradient, {}, batch), std::vector<double>(static_cast<std::size_t>(2 * batch),
                                                                   3.0 / static_cast<double>(2 * batch)));
}

TEST(Grad, OfCrossEntropyIsSoftmaxMinusTargetPerRow) {
  Graph g;
  const Expr logits = g.input("logits", {B, 3}), labels = g.input("labels", {B});
  const auto z = some_values(6, 3);
  std::vector<double> expected;
  for (std::size_t row = 0; row < 2; ++row) {
    const double* of = &z[3 * row];
    const double total = std::exp(of[0]) + std::exp(of[1]) + std::exp(of[2]);
    for (std::size_t k = 0; k < 3; ++k)
      expected.push_back((std::exp(of[k]) / total - (k == 2 - row ? 1 : 0)) / 2);
  }
  expect_near(evaluate(grad(cross_entropy(logits, labels), logits), {{logits, z}, {labels, {2, 1}}}, 2),
              expected);
}

TEST(Grad, WithRespectToAnIntermediateNode) {
  Graph g;
  const Expr x = g.input("x", {2});
  const Expr h = tanh(x);
  const Expr loss = sum(h * h + 3 * x);
  const auto gradients = grad(loss, std::vector{h, x, loss});
  const double t0 = std::tanh(0.3), t1 = std::tanh(-1.2);
  expect_near(evaluate(gradients[0], {{x, {0.3, -1.2}}}), {2 * t0, 2 * t1});
  expect_near(evaluate(gradients[1], {{x, {0.3, -1.2}}}),
              {2 * t0 * (1 - t0 * t0) + 3, 2 * t1 * (1 - t1 * t1) + 3});
  expect_near(evaluate(gradients[2]), {1});
}

// A product of matrices has a reverse product for each operand: only the one that is asked for is built.
TEST(Grad, BuildsNothingForWhatIsNotWanted) {
  const auto products = [](bool both) {
    Graph g;
    const Expr x = g.input("x", {B, 2}), w = g.parameter("w", {2, 3});
    const Expr loss = sum(matmul(tanh(x), w));
    const Expr wrt[] = {w, x};
    grad(loss, std::span(wrt).first(both ? 2 : 1));
    std::size_t count = 0;
    for (NodeId id = 0; id < g.size(); ++id) count += g[id].name() == "matmul" ? 1 : 0;
    return count;
  };
  EXPECT_EQ(products(false), 2U);
  EXPECT_EQ(products(true), 3U);
}

TEST(Grad, WithoutAPathIsZeroOfTheSameShape) {
  Graph g;
  const Expr x = g.input("x", {B, 2});
  const Expr unused = g.parameter("unused", {3});
  const Expr loss = sum(x);
  const Expr later = g.input("later", {B});
  const Expr compared = sum(x > 0);  // depends on x, but no gradient passes
  const auto gradients = grad(loss, std::vector{unused, later});
  EXPECT_EQ(gradients[0].shape(), (Shape{3}));
  EXPECT_EQ(evaluate(gradients[0]), (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(gradients[1].shape(), (Shape{B}));
  EXPECT_EQ(evaluate(gradients[1], {}, 2), (std::vector<double>{0, 0}));
  EXPECT_EQ(evaluate(grad(compared, x), {}, 1), (std::vector<double>{0, 0}));
}

TEST(Grad, OfANodeUsedManyTimesAddsUp) {
  Graph g;
  const Expr x = g.input("x", {});
  Expr loss = 0 * x;
  double expected = 0;
  for (int i = 1; i <= 1000; ++i) {
    loss = loss + (0.25 * i) * x * x;
    expected += 2 * 0.25 * i * 1.5;
  }
  expect_near(evaluate(grad(loss, x), {{x, {1.5}}}), {expected});
  expect_near(evaluate(grad(x + x + x * x, x), {{x, {1.5}}}), {5});
}

TEST(StopGradient, KeepsTheValueAndStopsTheDerivative) {
  Graph g;
  const Expr x = g.input("x", {2});
  const Expr loss = sum(x * stop_gradient(x * x) + stop_gradient(exp(x)));
  expect_near(evaluate(loss, {{x, {2, -0.5}}}), {8 + std::exp(2.0) - 0.125 + std::exp(-0.5)});
  expect_near(evaluate(grad(loss, x), {{x, {2, -0.5}}}), {4, 0.25});
}

TEST(Vjp, OfSeveralOutputsSumsTheirParts) {
  Graph g;
  const Expr a = g.input("a", {2}), b = g.input("b", {2});
  const std::vector outputs{a * b, a + 3 * b, a};
  const std::vector cotangents{g.constant({2}, {1, 10}), g.constant({2}, {0.5, -1}), g.constant({2}, {7, 8})};
  const auto found = vjp(outputs, cotangents, std::vector{a, b});
  const std::vector<Feed> feeds{{a, {2, 3}}, {b, {4, 5}}};
  // da = u·b + v + w, db = u·a + 3v
  expect_near(evaluate(found[0], {feeds[1]}), {4 + 0.5 + 7, 50 - 1 + 8});
  expect_near(evaluate(found[1], {feeds[0]}), {2 + 1.5, 30 - 3});
}

TEST(Vjp, OfOneOutputGivenTwiceCountsBoth) {
  Graph g;
  const Expr a = g.input("a", {2});
  const Expr y = a * a;
  const auto found =
      vjp(std::vector{y, y}, std::vector{g.constant({2}, {1, 2}), g.constant({2}, {10, 20})}, std::vector{a});
  expect_near(evaluate(found[0], {{a, {3, -1}}}), {66, -44});
}

TEST(Jvp, OfALinearMapIsTheMapOfTheTangent) {
  Graph g;
  const Expr w = g.input("w", {2, 3}), x = g.input("x", {3, 1}), v = g.input("v", {3, 1});
  const auto found = jvp(std::vector{matmul(w, x)}, std::vector{x}, std::vector{v});
  EXPECT_EQ(found[0].shape(), (Shape{2, 1}));
  expect_near(evaluate(found[0], {{w, {1, 2, 3, 4, 5, 6}}, {v, {1, -1, 0.5}}}), {0.5, 2});
}

TEST(Jvp, OfSeveralOutputsAndOperands) {
  Graph g;
  const Expr x = g.input("x", {2}), y = g.input("y", {2});
  const std::vector outputs{x * y, tanh(x), x, exp(y), g.full({3}, 1.0)};
  const auto found =
      jvp(outputs, std::vector{x, y}, std::vector{g.constant({2}, {1, 2}), g.constant({2}, {-1, 4})});
  const std::vector<double> xs{0.5, -0.25}, ys{2, 3};
  const auto at = [&](std::size_t i, const std::vector<Feed>& feeds) { return evaluate(found[i], feeds); };
  const double t0 = std::tanh(0.5), t1 = std::tanh(-0.25);
  expect_near(at(0, {{x, xs}, {y, ys}}), {1 * 2 + 0.5 * -1, 2 * 3 + -0.25 * 4});
  expect_near(at(1, {{x, xs}}), {1 - t0 * t0, 2 * (1 - t1 * t1)});
  expect_near(at(2, {}), {1, 2});
  expect_near(at(3, {{y, ys}}), {-std::exp(2.0), 4 * std::exp(3.0)});
  EXPECT_EQ(at(4, {}), (std::vector<double>{0, 0, 0})) << "no path: zeros of the output's shape";
}

TEST(Jvp, LeavesNoStandInBehind) {
  Graph g;
  const Expr x = g.input("x", {B, 3});
  const auto found = jvp(std::vector{log_softmax(x)}, std::vector{x}, std::vector{x});
  Store<double> store;
  auto executable = compile<double>({found[0]}, {}, 2, store);
  executable.feed(x, some_values(6));
  EXPECT_NO_THROW(executable.run()) << "an input of the reverse rule was left to be fed";
}

TEST(Hvp, OfAQuadraticForm) {
  Graph g;
  const Expr a = g.input("a", {3, 3}), x = g.input("x", {3, 1}), v = g.input("v", {3, 1});
  const Expr loss = sum(x * matmul(a, x));
  const auto as = some_values(9), xs = some_values(3, 2, 5), vs = some_values(3, 1, 9);
  // (A + Aᵀ) u
  const auto symmetric = [&](const std::vector<double>& u) {
    std::vector<double> y(3);
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j) y[i] += (as[3 * i + j] + as[3 * j + i]) * u[j];
    return y;
  };
  expect_near(evaluate(grad(loss, x), {{a, as}, {x, xs}}), symmetric(xs));
  expect_near(evaluate(hvp(loss, std::vector{x}, std::vector{v})[0], {{a, as}, {v, vs}}), symmetric(vs));
}

TEST(Hvp, OfRosenbrocksFunction) {
  constexpr std::size_t n = 4;
  Graph g;
  const Expr x = g.input("x", {n}), v = g.input("v", {n});
  const Expr here = slice(x, 0, 0, n - 1), next = slice(x, 0, 1, n);
  const Expr loss = sum(100 * square(next - square(here)) + square(1 - here));
  const std::vector<double> xs{-1.2, 1, 0.5, 2}, vs{1, -2, 0.25, 3};
  std::vector<double> gradient(n), product(n);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const double gap = xs[i + 1] - xs[i] * xs[i];
    gradient[i] += -400 * xs[i] * gap - 2 * (1 - xs[i]);
    gradient[i + 1] += 200 * gap;
    product[i] += (2 - 400 * gap + 800 * xs[i] * xs[i]) * vs[i] - 400 * xs[i] * vs[i + 1];
    product[i + 1] += -400 * xs[i] * vs[i] + 200 * vs[i + 1];
  }
  expect_near(evaluate(grad(loss, x), {{x, xs}}), gradient);
  expect_near(evaluate(hvp(loss, std::vector{x}, std::vector{v})[0], {{x, xs}, {v, vs}}), product);
}

TEST(Hvp, MixesTheBlocksOfSeveralOperands) {
  Graph g;
  const Expr x = g.input("x", {2}), y = g.input("y", {2});
  const auto found =
      hvp(sum(x * x * y), std::vector{x, y}, std::vector{g.constant({2}, {1, 2}), g.constant({2}, {3, -1})});
  const std::vector<Feed> feeds{{x, {0.5, -1}}, {y, {4, 5}}};
  expect_near(evaluate(found[0], feeds), {2 * 4 * 1 + 2 * 0.5 * 3, 2 * 5 * 2 + 2 * -1 * -1});
  expect_near(evaluate(found[1], {feeds[0]}), {2 * 0.5 * 1, 2 * -1 * 2});
}

TEST(Hvp, OfALinearLossIsZero) {
  Graph g;
  const Expr x = g.input("x", {3});
  const auto found = hvp(sum(2 * x), std::vector{x}, std::vector{g.full({3}, 1.0)});
  EXPECT_EQ(evaluate(found[0]), (std::vector<double>{0, 0, 0}));
}

// Its reverse rule yields a number, which stands for a tensor of that number.
class SumOfTriples final : public OpOf<SumOfTriples> {
 public:
  static constexpr std::string_view name = "sum_of_triples";
  Shape infer(InputShapes) const { return {}; }
  std::vector<Expr> vjp(const Vjp&) const override { return {3.0}; }
  template <class T> Kernel<T> make_kernel(const KernelShapes&) const { return {}; }
};

TEST(Gradient, MayBeANumberForTheRuleOfAnOp) {
  Graph g;
  const Expr x = g.input("x", {4});
  EXPECT_EQ(evaluate(grad(test::apply(SumOfTriples(), {x}), x)), (std::vector<double>{3, 3, 3, 3}));
}

// A step, whose derivative is written as the bare number 0.
struct Step final : Unary<Step> {
  static constexpr std::string_view name = "step";
  template <class T> static T f(T x) { return x > T(0.0); }
  template <class T> static T d(T, T) { return T(0.0); }
};

TEST(ADerivative, MayBeTheNumberZero) {
  Graph g;
  const Expr x = g.input("x", {3});
  EXPECT_EQ(evaluate(grad(sum(5 * build<Step>({x}) + x), x), {{x, {-1, 0, 2}}}),
            (std::vector<double>{1, 1, 1}));
}

}  // namespace
}  // namespace gradus
