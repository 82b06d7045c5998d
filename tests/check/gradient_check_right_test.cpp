// Functions whose gradients are right, however hard they are to check: no alarm. And kinks, which are
// accepted when they are rare.
#include "gradus/check/matchers.hpp"
#include "gradus/nn/layers.hpp"
#include "tests/support/planted.hpp"

namespace gradus::test {
namespace {

using gradus::testing::HasCorrectGradients;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

using Numbers = std::vector<double>;

// Twelve numbers, evenly spaced.
Numbers between(double low, double high) {
  Numbers numbers;
  for (int i = 0; i < 12; ++i) numbers.push_back(low + (high - low) * i / 11);
  return numbers;
}
const Numbers of_all_scales{1e-6, 1e-3, 1, 1e3, 1e6, 1e-5, 1, 2, 30, 1e5, 1e-4, 1e2};
const Numbers spread{0, 50, -10, 3, 50, 0, 0, 0, -50, 0, 0, 25};

struct Hard {
  std::string name;
  Expr (*f)(const Expr& x);  // of [B, 4]
  Numbers x = between(-2, 3);
  int order = 2;
};
std::ostream& operator<<(std::ostream& out, const Hard& hard) { return out << hard.name; }

const Hard hard_ones[] = {
    {"SteepExp", [](auto& x) { return exp(20 * x); }},
    {"FallingExp", [](auto& x) { return exp(-20 * x); }},
    {"HugeExp", [](auto& x) { return exp(x); }, between(290, 300)},
    {"TinyExp", [](auto& x) { return exp(x); }, between(-300, -290)},
    {"LogNearZero", [](auto& x) { return log(x); }, between(0.01, 0.02)},
    {"LogToThree", [](auto& x) { return log(x); }, between(0.01, 3)},
    {"LogOfAllScales", [](auto& x) { return log(x); }, of_all_scales},
    {"EntropyNearZero", [](auto& x) { return x * log(x); }, between(1e-3, 2)},
    {"SigmoidTo40", [](auto& x) { return sigmoid(x); }, between(-40, 40)},
    {"SigmoidAt40", [](auto& x) { return sigmoid(x); }, between(39, 41)},
    {"SigmoidAtMinus40", [](auto& x) { return sigmoid(x); }, between(-41, -39)},
    {"SigmoidTo800", [](auto& x) { return sigmoid(x); }, between(-800, 800)},
    {"SigmoidAt800", [](auto& x) { return sigmoid(x); }, {800, -800, 800, -800, 1, 2, 3, 4, 5, 6, 7, -709}},
    {"SigmoidWhereItVanishes", [](auto& x) { return sigmoid(x); }, between(-746, -700)},
    {"TanhTo20", [](auto& x) { return tanh(x); }, between(-20, 20)},
    {"SoftmaxSpread", [](auto& x) { return softmax(x); }, spread},
    {"SoftmaxSpreadEvenly", [](auto& x) { return softmax(x); }, between(-25, 25)},
    {"LogSoftmaxSpread", [](auto& x) { return log_softmax(x); }, spread},
    {"LogSumExp", [](auto& x) { return logsumexp(x); }},
    {"LogSumExpSpread", [](auto& x) { return logsumexp(x); }, spread},
    {"LogSumExpOfThousands", [](auto& x) { return logsumexp(x + 1000); }},
    {"LargeValues", [](auto& x) { return 1e8 * tanh(x); }},
    {"SmallValues", [](auto& x) { return 1e-8 * tanh(x); }},
    {"LargeArguments", [](auto& x) { return square(x); }, between(-2e8, 1e8)},
    {"SmallArguments", [](auto& x) { return square(x); }, between(-2e-8, 1e-8)},
    {"ExpOfSmallArguments", [](auto& x) { return exp(x); }, between(-2e-8, 1e-8)},
    {"ReciprocalNearItsPole", [](auto& x) { return 1 / x; }, between(1e-3, 2e-3)},
    {"ReciprocalNearAndFar", [](auto& x) { return 1 / x; }, {1e-3, 1, 1, 2, 3, -1e-3, 1, 1, 2, 2, 1, 1}},
    {"ReciprocalOfAllScales", [](auto& x) { return 1 / x; }, of_all_scales, 1},
    {"Cancellation", [](auto& x) { return (x + 1e6) - 1e6; }},
    {"CancellationWithin", [](auto& x) { return tanh((x + 1e6) - 1e6); }},
    {"CancellationOfProducts", [](auto& x) { return (x * 1e6 + 1) - x * 1e6; }},
    {"RootNearZero", [](auto& x) { return sqrt(x); }, between(1e-4, 2e-4)},
    {"RootNearZeroAndFar", [](auto& x) { return sqrt(x); }, {1e-4, 1, 1, 2, 3, 2e-4, 1, 1, 2, 2, 1, 1}},
    {"Polynomial", [](auto& x) { return 1e3 * pow(x, 5) - 1e4 * pow(x, 4) + square(x); }},
    {"PolynomialOfTerms", [](auto& x) { return pow(x, 9) - 1e6 * pow(x, 3); }, between(-9, 9)},
    {"SquareOfAllScales", [](auto& x) { return square(x) + x; }, of_all_scales},
    {"TanhOfAllScales", [](auto& x) { return tanh(x); }, of_all_scales},
    {"Log1pOfAllScales", [](auto& x) { return log1p(x); }, of_all_scales},
    {"ConstantColumns", [](auto& x) { return 2 * slice(x, 1, 0, 2); }},
    {"LargeConstantColumns", [](auto& x) { return square(slice(x, 1, 0, 2)) + 1000; }},
    {"Linear", [](auto& x) { return 3 * x; }},
    {"Nothing", [](auto& x) { return x - x; }},
    {"OnesBySoftmax", [](auto& x) { return sum(softmax(x), {1}); }},
    {"OnesByNorm", [](auto& x) { return sum(square(x / sqrt(sum(square(x), {1}, true))), {1}); }},
    {"VanishingGradient", [](auto& x) { return sigmoid(1e-9 * x); }},
    {"VanishingBesideOne", [](auto& x) { return 1 + sum(sigmoid(x - 40)); }},
    {"Bells", [](auto& x) { return exp(-square(x)); }, between(-8, 8)},
    {"BellsBesideOne", [](auto& x) { return 1 + exp(-square(x)); }, between(-8, 8)},
    {"NormOfSmallOnes", [](auto& x) { return sqrt(sum(square(x), {1})); }, between(1e-5, 2e-5)},
    {"Zeros", [](auto& x) { return exp(x) + tanh(x); }, Numbers(12, 0.0)},
    {"SomeZeros", [](auto& x) { return square(x); }, {0, 0, 0, 1, 2, 3, 0, 0, 0, 1e-9, 1, 1}},
};

class GradientCheckAccepts : public ::testing::TestWithParam<Hard> {
 protected:
  void accepts(Expr (*reduced)(const Expr& y)) {
    Graph g;
    const Expr y = reduced(GetParam().f(g.input("x", {B, 4})));
    const Point point{{"x", GetParam().x}};
    for (const auto mode : {GradientCheckOptions::Mode::full, GradientCheckOptions::Mode::fast})
      for (int seed = 1; seed <= 5; ++seed) {
        // Full mode has no use for another seed at order 1.
        if (mode == GradientCheckOptions::Mode::full && seed > 2) break;
        const auto report = check(
            y, {.mode = mode, .order = GetParam().order, .seed = static_cast<std::uint64_t>(seed)}, point);
        EXPECT_TRUE(report.ok()) << "seed " << seed << "\n" << report.text();
      }
  }
};
INSTANTIATE_TEST_SUITE_P(Hard, GradientCheckAccepts, ::testing::ValuesIn(hard_ones),
                         [](const auto& test) { return test.param.name; });

TEST_P(GradientCheckAccepts, It) {
  accepts([](auto& y) { return y; });
}
TEST_P(GradientCheckAccepts, ItsSum) {
  accepts([](auto& y) { return sum(y); });
}
TEST_P(GradientCheckAccepts, ItsMeanSquare) {
  accepts([](auto& y) { return mean(square(y)); });
}

// The same inaccuracy in a gradient derived by hand: σ(x)(1 − σ(x)) without cancellation.
TEST(GradientCheckByHand, AcceptsWhatTheTapeRoundsToNothing) {
  Graph g;
  const Expr loss = sum(sigmoid(g.input("x", {4})));
  const auto by_hand = [](const Point& at) {
    Point gradient;
    for (const double x : at.find("x")->second)
      gradient["x"].push_back(std::exp(-std::abs(x)) / std::pow(1 + std::exp(-std::abs(x)), 2));
    return gradient;
  };
  for (const Numbers& x : {Numbers{40, 41, 42, 43}, Numbers{-40, 15, 20, 3}, Numbers{800, -800, 1, 40}}) {
    const auto report = check_gradient(loss, by_hand, {{"x", x}}, 1);
    EXPECT_TRUE(report.ok()) << report.text();
  }
}

// A relu network has kinks everywhere; a random point is on none, but near some.
class GradientCheckOfReluNetworks : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Seeds, GradientCheckOfReluNetworks, ::testing::Range(1, 11));

TEST_P(GradientCheckOfReluNetworks, Accepts) {
  Graph g;
  const Expr x = g.input("x", {B, 20});
  const Expr loss = mean(square(relu(linear(relu(linear(x, 100, "first")), 50, "second"))));
  const GradientCheckOptions options{.mode = fast.mode, .seed = static_cast<std::uint64_t>(GetParam())};
  EXPECT_THAT(loss, HasCorrectGradients(options, 32));
}

class GradientCheckAtKinks : public ::testing::Test {
 protected:
  Point at(const std::vector<std::pair<std::size_t, double>>& values) const {
    Point point = random_point(x, 1, 1);
    for (const auto& [index, value] : values) point["x"][index] = value;
    return point;
  }
  // The first `count` of two hundred.
  Point zeros(std::size_t count) const {
    std::vector<std::pair<std::size_t, double>> values;
    for (std::size_t i = 0; i < count; ++i) values.emplace_back(i, 0.0);
    return at(values);
  }
  Graph g;
  Expr x = g.input("x", {200});
  const GradientCheckOptions modes[2] = {{}, fast};
};

TEST_F(GradientCheckAtKinks, AcceptsAndCountsOne) {
  const Point point = at({{7, 0}});
  // In the last, the whole is curved.
  for (const Expr& y : {relu(x), sum(relu(x)), sum(square(relu(x) + 1)), sum(exp(relu(x)) * (x + 2))})
    for (const auto& options : modes) {
      const auto report = check(y, options, point);
      EXPECT_TRUE(report.ok()) << report.text();
      EXPECT_EQ(report.tensors[0].kinks, 1U);
      EXPECT_THAT(report.tensors[0].kink_at, HasSubstr("[7]"));
      EXPECT_THAT(report.text(), ContainsRegex("ok \\(1 of [0-9]+ at a kink: .*\\[7\\]\\)"));
    }
}

TEST_F(GradientCheckAtKinks, RejectsMoreThanOneInAHundred) {
  for (const std::size_t count : {5U, 50U, 200U})
    for (const Expr& y : {relu(x), sum(relu(x)), sum(square(relu(x) + 1))})
      for (const auto& options : modes) {
        const auto report = check(y, options, zeros(count));
        EXPECT_FALSE(report.ok()) << report.text();
        EXPECT_GT(report.tensors[0].kinks, 2U);
        ASSERT_EQ(report.suspects.size(), 1U) << report.text();
        EXPECT_THAT(report.suspects[0], ContainsRegex("^relu#.* at a kink"));
      }
}

// A value outside of the one-sided derivatives is wrong even there; one between them is not.
TEST_F(GradientCheckAtKinks, RejectsWhatIsOutsideOfTheSides) {
  for (const double slope : {-0.5, 0.0, 0.3, 1.0, 1.5}) {
    const Expr y = planted(x, each([](double v) { return std::max(v, 0.0); }),
                           [=](auto x, auto, auto c) { return c * ((x > 0) + slope * equal(x, 0)); });
    for (const auto& options : modes)
      EXPECT_EQ(check(y, options, at({{7, 0}})).ok(), slope >= 0 && slope <= 1) << slope;
  }
}

TEST_F(GradientCheckAtKinks, AcceptsThePlacesBesideThem) {
  for (double distance = 1e-13; distance < 0.1; distance *= 5)
    for (const double side : {-1.0, 1.0})
      for (const Expr& y : {relu(x), abs(x), sum(abs(x)), sum(leaky_relu(x)) * 100, sum(clip(x, -9, 0))})
        for (const auto& options : modes) {
          const auto report = check(y, options, at({{7, side * distance}}));
          EXPECT_TRUE(report.ok()) << side * distance << "\n" << report.text();
        }
}

TEST_F(GradientCheckAtKinks, AcceptsARareTieForTheMaximum) {
  const Expr rows = g.input("rows", {B, 5});
  Point point = random_point(rows, 100, 3);
  point["rows"][0] = point["rows"][1] = 9;
  for (const auto& options : modes) {
    const auto report = check(max(rows, {1}), options, point, 100);
    EXPECT_TRUE(report.ok() || report.tensors[0].kinks == 2) << report.text();
    EXPECT_EQ(report.tensors[0].failures, 0U);
  }
  std::ranges::fill(point["rows"], 1.5);
  for (const auto& options : modes) EXPECT_FALSE(check(max(rows, {1}), options, point, 100).ok());
}

// A wrong gradient is not excused by kinks elsewhere.
TEST_F(GradientCheckAtKinks, DoesNotHideWhatIsWrong) {
  const Expr y =
      cube(relu(x), [](auto x, auto, auto c) { return 3 * square(x) + at_index(c, 200, 50, 1e-3); });
  for (const auto& options : modes) {
    const auto report = check(sum(y), options, at({{7, 0}, {50, 2}}));
    EXPECT_FALSE(report.ok());
    EXPECT_EQ(report.tensors[0].worst.what, "[50]");
    ASSERT_EQ(report.suspects.size(), 1U);
    EXPECT_THAT(report.suspects[0], HasSubstr("planted#"));
  }
}

}  // namespace
}  // namespace gradus::test
