// A published program prints a result that its network does not give, because of two slips in its
// hand-derived gradient: it adds h2 where the bias b2 belongs in net_o2 (and never differentiates that path),
// and it uses h1(1 - h1) for h2(1 - h2) when it updates w3 and w4. The gradient check finds both.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

#include "gradus/framework/compile/executable.hpp"
#include "gradus/framework/graph/gradient.hpp"
#include "gradus/framework/inspect/gradient_check.hpp"
#include "gradus/ops.hpp"

namespace gradus {
namespace {

using Weights = std::array<double, 8>;  // w1 … w8

struct Slips {
  bool bias;
  bool hidden;
};

constexpr std::array<double, 2> input{0.05, 0.10};
constexpr std::array<double, 2> target{0.01, 0.99};
constexpr Weights start{0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55};
constexpr double b1 = 0.35, b2 = 0.60;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Forward {
  double h1, h2, o1, o2;
  double loss() const { return 0.5 * (std::pow(o1 - target[0], 2) + std::pow(o2 - target[1], 2)); }
};

Forward forward(const Weights& w, Slips slips) {
  Forward f{};
  f.h1 = sigmoid(w[0] * input[0] + w[1] * input[1] + b1);
  f.h2 = sigmoid(w[2] * input[0] + w[3] * input[1] + b1);
  f.o1 = sigmoid(w[4] * f.h1 + w[5] * f.h2 + b2);
  f.o2 = sigmoid(w[6] * f.h1 + w[7] * f.h2 + (slips.bias ? f.h2 : b2));
  return f;
}

// As the program derives it.
Weights hand_derived(const Weights& w, Slips slips) {
  const Forward f = forward(w, slips);
  const double d1 = (f.o1 - target[0]) * f.o1 * (1 - f.o1);
  const double d2 = (f.o2 - target[1]) * f.o2 * (1 - f.o2);
  const double slope1 = f.h1 * (1 - f.h1);
  const double slope2 = slips.hidden ? slope1 : f.h2 * (1 - f.h2);
  const double e1 = (d1 * w[4] + d2 * w[6]) * slope1;
  const double e2 = (d1 * w[5] + d2 * w[7]) * slope2;
  return {e1 * input[0], e1 * input[1], e2 * input[0], e2 * input[1],
          d1 * f.h1,     d1 * f.h2,     d2 * f.h1,     d2 * f.h2};
}

// The weights that the check rejects, against differences of the very forward pass used.
std::set<std::string> rejected(Slips slips) {
  std::vector<ClaimedGradient> claimed;
  const Weights gradient = hand_derived(start, slips);
  for (std::size_t i = 0; i < 8; ++i)
    claimed.push_back({"w" + std::to_string(i + 1), {start[i]}, {gradient[i]}});
  const auto function = [&](const std::vector<std::vector<double>>& values) {
    Weights w{};
    for (std::size_t i = 0; i < 8; ++i) w[i] = values[i][0];
    return forward(w, slips).loss();
  };
  std::set<std::string> names;
  for (const auto& tensor : check_gradient(function, claimed).tensors)
    if (!tensor.ok) names.insert(tensor.name);
  return names;
}

TEST(TwoSlips, BothTogetherGiveThePublishedPair) {
  Weights w = start;
  Forward last{};
  for (int step = 0; step < 10000; ++step) {
    last = forward(w, {true, true});
    const Weights gradient = hand_derived(w, {true, true});
    for (std::size_t i = 0; i < 8; ++i) w[i] -= 0.5 * gradient[i];
  }
  EXPECT_NEAR(last.o1, 0.015914607588423745, 1e-15);
  EXPECT_NEAR(last.o2, 0.9840961824613796, 1e-15);
}

TEST(TwoSlips, TheCheckNamesTheTwoWeightsAndNoOther) {
  const std::set<std::string> wrong{"w3", "w4"};
  EXPECT_EQ(rejected({true, false}), wrong);
  EXPECT_EQ(rejected({false, true}), wrong);
  EXPECT_EQ(rejected({true, true}), wrong);
  EXPECT_EQ(rejected({false, false}), std::set<std::string>());
}

// The graph's own gradient, of either forward pass.
TEST(TwoSlips, TheTapeIsRightForEitherForwardPass) {
  for (const bool slip : {false, true}) {
    Graph g;
    const Expr x = g.input("x", {B, 2}), t = g.input("t", {B, 2});
    const Expr w1 = g.parameter("W1", {2, 2}), w2 = g.parameter("W2", {2, 2});
    const Expr h = gradus::sigmoid(matmul(x, w1) + b1);
    const Expr bias1 = g.full({B, 1}, b2);
    const Expr bias2 = slip ? slice(h, 1, 1, 2) : bias1;
    const Expr loss = half_squared_error(gradus::sigmoid(matmul(h, w2) + concat({bias1, bias2}, 1)), t);
    const Point point{{"x", {input[0], input[1]}},
                      {"t", {target[0], target[1]}},
                      {"W1", {start[0], start[2], start[1], start[3]}},
                      {"W2", {start[4], start[6], start[5], start[7]}}};
    const auto report = check_gradient(loss, g.parameters(), point, 1);
    EXPECT_TRUE(report.ok()) << report.text();
    // And the tape agrees with the right hand-derived gradient, where there is one.
    if (slip) continue;
    Store<double> store;
    auto program = compile<double>(grad(loss, g.parameters()), {}, 1, store);
    for (const char* name : {"W1", "W2"}) store.set(name, point.find(name)->second);
    program.feed("x", point.find("x")->second);
    program.feed("t", point.find("t")->second);
    program.run();
    const Weights by_hand = hand_derived(start, {false, false});
    EXPECT_NEAR(program.output(0).values[0], by_hand[0], 1e-15);
    EXPECT_NEAR(program.output(0).values[1], by_hand[2], 1e-15);
    EXPECT_NEAR(program.output(1).values[0], by_hand[4], 1e-15);
    EXPECT_NEAR(program.output(1).values[3], by_hand[7], 1e-15);
  }
}

}  // namespace
}  // namespace gradus
