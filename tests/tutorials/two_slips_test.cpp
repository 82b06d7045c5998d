// A published program prints a result that its network does not give, because of two slips in its
// hand-derived gradient: it adds h2 where the bias b2 belongs in net_o2 (and never differentiates that path),
// and it uses h1(1 - h1) for h2(1 - h2) when it updates w3 and w4. The gradient check finds both.
#include "models/tutorials/two_slips.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/check/gradient_check.hpp"
#include "gradus/ops.hpp"
#include "gradus/runtime/executable.hpp"

namespace gradus {
namespace {

using Weights = SlipWeights;
using Forward = SlipForward;
constexpr auto& input = slip_input;
constexpr auto& target = slip_target;
constexpr const Weights& start = slip_start;
constexpr double b1 = 0.35, b2 = 0.60;

// The weights that the check rejects, against differences of the very forward pass used.
std::set<std::string> rejected(Slips slips) {
  std::vector<ClaimedGradient> claimed;
  const Weights gradient = slip_gradient(start, slips);
  for (std::size_t i = 0; i < 8; ++i)
    claimed.push_back({"w" + std::to_string(i + 1), {start[i]}, {gradient[i]}});
  const auto function = [&](const std::vector<std::vector<double>>& values) {
    Weights w{};
    for (std::size_t i = 0; i < 8; ++i) w[i] = values[i][0];
    return slip_forward(w, slips).loss();
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
    last = slip_forward(w, {true, true});
    const Weights gradient = slip_gradient(w, {true, true});
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
    const Weights by_hand = slip_gradient(start, {false, false});
    EXPECT_NEAR(program.output(0).values[0], by_hand[0], 1e-15);
    EXPECT_NEAR(program.output(0).values[1], by_hand[2], 1e-15);
    EXPECT_NEAR(program.output(1).values[0], by_hand[4], 1e-15);
    EXPECT_NEAR(program.output(1).values[3], by_hand[7], 1e-15);
  }
}

}  // namespace
}  // namespace gradus
