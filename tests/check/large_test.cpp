// Models of 415,000 parameters: what the fast mode takes, and what it finds.
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>

#include "gradus/base/random.hpp"
#include "gradus/nn/layers.hpp"
#include "gradus/ops.hpp"
#include "tests/support/planted.hpp"

namespace gradus::test {
namespace {

// 784 pixels and two hidden layers, of which the second is square.
struct Large {
  Graph g;
  Expr x = g.input("x", {B, 784});
  Expr t = g.input("t", {B, 10});
  std::string faulty;
  std::function<Expr(const Expr& cotangent)> fault;

  Expr variable(const std::string& name, Shape shape) {
    const Expr w = g.parameter(name, shape);
    if (name != faulty) return w;
    return planted(
        w, [](auto in, auto out) { std::ranges::copy(in, out.begin()); },
        [f = fault](auto, auto, auto c) { return f(c); });
  }
  Expr loss() {
    const Expr h1 = relu(matmul(x, variable("W1", {784, 400})) + variable("b1", {400}));
    const Expr h2 =
        tanh(matmul(slice(h1, 1, 0, 320), variable("W2", {320, 320})) * 0.05 + variable("b2", {320}));
    return cross_entropy(matmul(h2, variable("W3", {320, 10})) + variable("b3", {10}), t);
  }

  std::int64_t parameters() {
    std::int64_t count = 0;
    for (const Expr& each : g.parameters()) count += element_count(each.shape().resolve(1));
    return count;
  }
};

// The cotangent with some entries multiplied.
Expr scaled(const Expr& c, double factor,
            const std::function<bool(std::int64_t row, std::int64_t column)>& where) {
  const Extents extents = c.shape().resolve(1);
  const std::int64_t columns = extents.back();
  std::vector<double> factors(static_cast<std::size_t>(element_count(extents)), 1.0);
  for (std::int64_t i = 0; i < element_count(extents); ++i)
    if (where(i / columns, i % columns)) factors[static_cast<std::size_t>(i)] = factor;
  return c * c.graph().constant(extents, factors);
}

struct LargeFault {
  std::string name, tensor;
  std::function<Expr(const Expr& cotangent)> fault;
};
std::ostream& operator<<(std::ostream& out, const LargeFault& fault) { return out << fault.name; }

const LargeFault large_faults[] = {
    {"FactorOfTwo", "W1", [](const Expr& c) { return 2 * c; }},
    {"Sign", "b2", [](const Expr& c) { return -c; }},
    {"NotTransposed", "W2", [](const Expr& c) { return transpose(c); }},
    {"OneRow", "W1", [](const Expr& c) { return scaled(c, 0, [](auto row, auto) { return row == 300; }); }},
    {"OneColumn", "W1",
     [](const Expr& c) { return scaled(c, 0.5, [](auto, auto column) { return column == 7; }); }},
    {"OneBlock", "W1",
     [](const Expr& c) {
       return scaled(c, 1.01, [](auto row, auto column) { return row >= 64 && row < 80 && column < 16; });
     }},
    {"OneEntry", "W1",
     [](const Expr& c) {
       return scaled(c, 2, [](auto row, auto column) { return row == 511 && column == 200; });
     }},
    // By a thousandth it would be near 1e-8 of the gradient's norm, and not be found with every seed.
    {"LastEntryByAHundredth", "W2",
     [](const Expr& c) {
       return scaled(c, 1.01, [](auto row, auto column) { return row == 319 && column == 319; });
     }},
    {"ForgottenSum", "b1", [](const Expr& c) { return c * 0.25; }},
    {"MeanForSum", "b3", [](const Expr& c) { return c / 10; }},
};

class LargeModels : public testing::TestWithParam<LargeFault> {};
INSTANTIATE_TEST_SUITE_P(Planted, LargeModels, testing::ValuesIn(large_faults),
                         [](const auto& t) { return t.param.name; });

TEST_P(LargeModels, OfAFaultAreFoundOut) {
  if (GRADUS_SLOW != 0) GTEST_SKIP() << "takes too long under sanitizers; small models run the same code";
  Large model;
  model.faulty = GetParam().tensor;
  model.fault = GetParam().fault;
  const GradientReport report = check(model.loss(), {.properties = false}, {}, 4);
  EXPECT_FALSE(report.ok());
  for (const CheckedTensor& tensor : report.tensors) {
    EXPECT_TRUE(tensor.sampled);
    EXPECT_EQ(tensor.failures > 0, tensor.name == GetParam().tensor) << report.text();
  }
  EXPECT_THAT(report.suspects, testing::Contains(testing::HasSubstr("planted#"))) << report.text();
}

// Without a mode the size decides; 10 s are for a slow machine.
TEST(LargeModel, IsCheckedFast) {
  if (GRADUS_SLOW != 0) GTEST_SKIP() << "takes too long under sanitizers; small models run the same code";
  Large model;
  const Expr loss = model.loss();
  EXPECT_GE(model.parameters(), 415'000);
  std::size_t told = 0, last = 0, of = 0;
  const OnCheckProgress progress = [&](const CheckProgress& at) {
    ++told;
    if (at.doing != "gradient") return;
    EXPECT_EQ(at.done, last++);
    EXPECT_LT(at.done, at.of);
    of = at.of;
  };
  const GradientReport report = check(loss, {.progress = &progress}, {}, 4);
  EXPECT_TRUE(report.ok()) << report.text();
  EXPECT_EQ(last, of);
  EXPECT_GT(told, 200U);
  EXPECT_LT(told, 1000U) << "comparisons, whatever the number of parameters";
}

TEST(LargeModel, IsCheckedInFullWhereThatIsAskedForOrQuick) {
  Graph g;
  const Expr small = mean(square(tanh(linear(g.input("x", {B, 20}), 10, "layer"))));
  EXPECT_FALSE(check(small).tensors[0].sampled);
  EXPECT_EQ(check(small).tensors[0].compared, 60U);
  EXPECT_TRUE(check(small, fast).tensors[0].sampled);
  const Expr large = mean(square(g.input("large", {20000})));
  EXPECT_TRUE(check(large).tensors[0].sampled);
  // Few entries, but more gradients than would be kept: one for each of 15,000 outputs.
  const Expr many = tanh(g.input("column", {50, 1}) * g.input("row", {1, 300}));
  EXPECT_TRUE(check(many).tensors[0].sampled);
}

// So are plain functions.
TEST(LargeFunction, IsCheckedFast) {
  if (GRADUS_SLOW != 0) GTEST_SKIP() << "takes too long under sanitizers; small models run the same code";
  constexpr std::size_t n = 415'000;
  std::vector<double> x(n), gradient(n);
  Random random(1);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = random.normal();
    gradient[i] = 2 * x[i];
  }
  const auto of_squares = [](const std::vector<std::vector<double>>& v) {
    double sum = 0;
    for (const double each : v[0]) sum += each * each;
    return sum;
  };
  const GradientCheckOptions few{.directions = 5, .samples = 20};
  EXPECT_TRUE(check_gradient(of_squares, {{"x", x, gradient}}, few).ok());
  gradient[123456] *= 2;
  const GradientReport report = check_gradient(of_squares, {{"x", x, gradient}}, few);
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.tensors[0].worst.what, "[123456]") << report.text();
}

}  // namespace
}  // namespace gradus::test
