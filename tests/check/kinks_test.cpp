// Kinked functions at all scales, and what is small or overflows: a right gradient is never called wrong, a
// wrong one never passes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "gradus/ops.hpp"
#include "tests/support/planted.hpp"

namespace gradus::test {
namespace {

using Values = std::vector<double>;
using Mode = GradientCheckOptions::Mode;

constexpr double wrong_factors[] = {3.0, -1.0, 0.5, 0.0};

struct Kinked {
  std::string name;
  std::function<double(const Values& x)> value;
  std::function<Values(const Values& x)> gradient;
  bool positive = false;       // is it defined there alone?
  bool of_one_number = false;  // or a sum of such
};
std::ostream& operator<<(std::ostream& out, const Kinked& kinked) { return out << kinked.name; }

Kinked sum_of(std::string name, double (*f)(double), double (*slope)(double), bool positive = false) {
  return {std::move(name),
          [f](const Values& x) {
            double sum = 0;
            for (const double v : x) sum += f(v);
            return sum;
          },
          [slope](const Values& x) {
            Values gradient;
            for (const double v : x) gradient.push_back(slope(v));
            return gradient;
          },
          positive, true};
}

double largest(const Values& x) {
  double most = 0;
  for (const double v : x) most = std::max(most, std::abs(v));
  return most;
}

// Of the largest: squares may vanish.
double norm_of(const Values& x) {
  double squares = 0;
  for (const double v : x) squares += (v / largest(x)) * (v / largest(x));
  return largest(x) > 0 ? largest(x) * std::sqrt(squares) : 0;
}

const Kinked kinked_functions[] = {
    sum_of(
        "abs", [](double v) { return std::abs(v); }, [](double v) { return v > 0 ? 1.0 : -1.0; }),
    sum_of(
        "relu", [](double v) { return std::max(v, 0.0); }, [](double v) { return v > 0 ? 1.0 : 0.0; }),
    sum_of(
        "leaky_relu", [](double v) { return std::max(v, 0.01 * v); },
        [](double v) { return v > 0 ? 1 : 0.01; }),
    sum_of(
        "bent_wave", [](double v) { return std::abs(std::sin(v)); },
        [](double v) { return std::cos(v) * (std::sin(v) > 0 ? 1 : -1); }),
    sum_of(
        "huber", [](double v) { return std::abs(v) < 1 ? v * v / 2 : std::abs(v) - 0.5; },
        [](double v) { return std::clamp(v, -1.0, 1.0); }),
    sum_of(
        "square", [](double v) { return v * v; }, [](double v) { return 2 * v; }),
    sum_of(
        "root", [](double v) { return std::sqrt(v); }, [](double v) { return 0.5 / std::sqrt(v); }, true),
    sum_of(
        "entropy", [](double v) { return v * std::log(v); }, [](double v) { return 1 + std::log(v); }, true),
    {"max", [](const Values& x) { return *std::ranges::max_element(x); },
     [](const Values& x) {
       Values gradient(x.size());
       gradient[static_cast<std::size_t>(std::ranges::max_element(x) - x.begin())] = 1;
       return gradient;
     }},
    {"norm", norm_of,
     [](const Values& x) {
       Values gradient;
       for (const double v : x) gradient.push_back(v / norm_of(x));
       return gradient;
     }},
    {"hypot", [](const Values& x) { return std::hypot(x[0], x[1]); },
     [](const Values& x) {
       return Values{x[0] / std::hypot(x[0], x[1]), x[1] / std::hypot(x[0], x[1]), 0};
     }},
};

class KinksAtAllScales : public testing::TestWithParam<Kinked> {};
INSTANTIATE_TEST_SUITE_P(All, KinksAtAllScales, testing::ValuesIn(kinked_functions),
                         [](const auto& t) { return t.param.name; });

class KinksOfOneNumber : public KinksAtAllScales {};
std::vector<Kinked> of_one_number() {
  std::vector<Kinked> found;
  std::ranges::copy_if(kinked_functions, std::back_inserter(found), &Kinked::of_one_number);
  return found;
}
INSTANTIATE_TEST_SUITE_P(All, KinksOfOneNumber, testing::ValuesIn(of_one_number()),
                         [](const auto& t) { return t.param.name; });

TEST_P(KinksAtAllScales, AreSettled) {
  const Kinked& f = GetParam();
  for (int power = -60; power <= 12; power += power >= -30 ? 1 : 5)
    for (const Mode mode : {Mode::full, Mode::fast}) {
      const double size = std::pow(10, power);
      if (f.name == "bent_wave" && size > 1) continue;
      const Values x{3 * size, 5 * size, f.positive ? 7 * size : -7 * size};
      const auto checked = [&](double factor) {
        Values claimed = f.gradient(x);
        for (double& v : claimed) v *= factor;
        return check_gradient([&](const std::vector<Values>& at) { return f.value(at[0]); },
                              {{"x", x, claimed}}, {.mode = mode})
            .tensors[0];
      };
      const CheckedTensor right = checked(1);
      EXPECT_EQ(right.failures, 0U) << size << ": " << right.worst.what << " " << right.worst.numeric;
      // A step that meets a kink within its last digits may remain open.
      EXPECT_LE(right.kinks + right.unsettled, 2U) << size;
      for (const double factor : wrong_factors)
        EXPECT_GT(checked(factor).failures, 0U) << factor << ", " << size;
    }
}

// Each entry its own output, which random directions combine.
TEST_P(KinksOfOneNumber, AreSettledInGraphs) {
  const Kinked& f = GetParam();
  for (const double size : {1e-40, 1e-27, 1e-24, 1e-23, 1e-20, 1e-17, 1e-15, 1e-12, 1e-6, 0.3})
    for (const Mode mode : {Mode::full, Mode::fast}) {
      const Values x{3 * size, 5 * size, f.positive ? 7 * size : -7 * size};
      const auto checked = [&](double factor) {
        Graph g;
        Values slopes = f.gradient(x);
        for (double& v : slopes) v *= factor;
        const Expr y = planted(
            g.input("x", {3}),
            [&](auto in, auto out) {
              std::ranges::transform(in, out.begin(), [&](double v) { return f.value({v}); });
            },
            [&](const Expr& in, auto, auto c) { return c * in.graph().constant({3}, slopes); });
        return check(y, {.mode = mode, .properties = false}, {{"x", x}}, 1).tensors[0];
      };
      const CheckedTensor right = checked(1);
      EXPECT_EQ(right.failures, 0U) << size << ": " << right.worst.what << " " << right.worst.numeric;
      EXPECT_TRUE(right.ok) << size;
      for (const double factor : wrong_factors)
        EXPECT_GT(checked(factor).failures, 0U) << factor << ", " << size;
    }
}

// Small values that are well resolved are no rounding of numbers about 1, and in a graph that is known.
TEST(SmallValues, OfGraphsAreResolved) {
  struct Small {
    double (*f)(double);
    double (*slope)(double);
    double x;
  };
  const auto exp = [](double v) { return std::exp(v); };
  const auto bell = [](double v) { return std::exp(-v * v); };
  const auto bell_slope = [](double v) { return -2 * v * std::exp(-v * v); };
  const auto erfc = [](double v) { return std::erfc(v); };
  const auto erfc_slope = [](double v) { return -2 / std::sqrt(M_PI) * std::exp(-v * v); };
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  const auto eighth = [](double v) { return std::pow(v, 8); };
  const auto eighth_slope = [](double v) { return 8 * std::pow(v, 7); };
  for (const Small& small :
       {Small{exp, exp, -150}, Small{exp, exp, -300}, Small{exp, exp, -400}, Small{exp, exp, -700},
        Small{bell, bell_slope, 10}, Small{bell, bell_slope, -20}, Small{erfc, erfc_slope, 10},
        Small{erfc, erfc_slope, 20}, Small{sigmoid, sigmoid, -150}, Small{sigmoid, sigmoid, -300},
        Small{eighth, eighth_slope, 1e-10}, Small{eighth, eighth_slope, 1e-20}})
    for (const double factor : {1.0, 3.0, -1.0, 0.5, 0.0}) {
      Graph g;
      const Expr y = planted(
          g.input("x", {}), [&](auto in, auto out) { out[0] = small.f(in[0]); },
          [&](auto, auto, auto c) { return c * (factor * small.slope(small.x)); });
      const auto in_graph = check(y, {.properties = false}, {{"x", {small.x}}}, 1).tensors[0];
      const auto plain = check_gradient([&](const std::vector<Values>& v) { return small.f(v[0][0]); },
                                        {{"x", {small.x}, {factor * small.slope(small.x)}}})
                             .tensors[0];
      EXPECT_EQ(in_graph.failures > 0, factor != 1) << small.x << ", " << small.f(small.x) << ", " << factor;
      EXPECT_EQ(plain.failures > 0, factor != 1) << small.x << ", " << small.f(small.x) << ", " << factor;
    }
}

// Infinite values do not change from step to step, which says nothing of a slope.
TEST(InfiniteValues, AreUnsettled) {
  for (const double factor : {1.0, 3.0, 0.0}) {
    const auto report =
        check_gradient([](const std::vector<Values>& v) { return std::sqrt(1 + v[0][0] * v[0][0]); },
                       {{"x", {1e160}, {factor}}});
    EXPECT_FALSE(report.ok());
    EXPECT_EQ(report.tensors[0].failures, 0U);
    EXPECT_EQ(report.tensors[0].unsettled, 1U);
  }
}

// Beside a kink, numbers that cancel look like it.
TEST(RoundingBesideAKink, IsNeverCalledWrong) {
  const auto rounded = [](double v) {
    const volatile double sum = 1 + v;
    return sum - 1;
  };
  for (const double x : {1e-40, 1e-30, 1e-20, 1e-17, 1e-16, 1e-15, 1e-12, 1e-10})
    for (const double sign : {1.0, -1.0}) {
      const double step = sign > 0 ? 1 : 0;
      const auto of = [&](double (*f)(double, double), double slope) {
        return check_gradient([&](const std::vector<Values>& v) { return f(rounded(v[0][0]), v[0][0]); },
                              {{"x", {sign * x}, {slope}}})
            .tensors[0]
            .failures;
      };
      EXPECT_EQ(of([](double r, double) { return std::max(r, 0.0); }, step), 0U) << sign * x;
      EXPECT_EQ(of([](double r, double v) { return std::abs(r) + v; }, 2 * step), 0U) << sign * x;
      EXPECT_EQ(of([](double r, double v) { return r + v; }, 2), 0U) << sign * x;
      EXPECT_EQ(of([](double r, double v) { return std::max(r, 0.0) - v; }, step - 1), 0U) << sign * x;
    }
}

}  // namespace
}  // namespace gradus::test
