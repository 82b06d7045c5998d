// Derivatives by differences against known ones: is the stated uncertainty honest, and are kinks told from
// curves?
#include "framework/check/difference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <ostream>
#include <string>

#include "gradus/base/random.hpp"

namespace gradus {
namespace {

using Function = std::function<double(double)>;

Difference at(const Function& f, double x, double step) {
  return differentiate([&](double offset, std::span<double> y) { y[0] = f(x + offset); }, 1, step).front();
}

// As the gradient check does for an entry of a tensor of unit size.
Difference at(const Function& f, double x) { return at(f, x, std::max(std::abs(x), 0.1) / 32); }

struct Known {
  std::string name;
  Function f;
  Function derivative;
  double low, high;  // where x is drawn from
  double precision;  // the largest uncertainty allowed, over the derivative's size
  double size = 0;   // of the derivative; 0: its value where it is taken
};

std::ostream& operator<<(std::ostream& out, const Known& known) { return out << known.name; }

// Both of them are 1e-10 apart from the sine, the second always in the same way.
double jitter(double x) {
  static Random random(3, 7);
  return std::sin(x) + 1e-10 * random.normal();
}
double rounded(double x) { return std::round(std::sin(x) * 1e10) / 1e10; }

double cosine(double x) { return std::cos(x); }
double one(double) { return 1; }
double shifted(double x, double by) {
  const volatile double sum = x + by;
  return sum - by;
}

const Known battery[] = {
    {"sine", [](double x) { return std::sin(x); }, cosine, -10, 10, 1e-10, 1},
    {"fast sine", [](double x) { return std::sin(20 * x); }, [](double x) { return 20 * std::cos(20 * x); },
     -3, 3, 1e-7, 20},
    {"exponential", [](double x) { return std::exp(x); }, [](double x) { return std::exp(x); }, -20, 20,
     1e-9},
    {"steep exponential", [](double x) { return std::exp(50 * x); },
     [](double x) { return 50 * std::exp(50 * x); }, -2, 2, 1e-6},
    {"reciprocal", [](double x) { return 1 / x; }, [](double x) { return -1 / (x * x); }, 1e-3, 3, 1e-6},
    {"reciprocal near its pole", [](double x) { return 1 / x; }, [](double x) { return -1 / (x * x); }, 1e-6,
     1e-5, 1e-6},
    {"root", [](double x) { return std::sqrt(x); }, [](double x) { return 0.5 / std::sqrt(x); }, 1e-4, 2,
     1e-6},
    {"logarithm near 0", [](double x) { return std::log(x); }, [](double x) { return 1 / x; }, 1e-7, 1e-6,
     1e-6},
    {"power", [](double x) { return std::pow(x, 1.5); }, [](double x) { return 1.5 * std::sqrt(x); }, 1e-2, 3,
     1e-7},
    {"cubic", [](double x) { return x * x * x; }, [](double x) { return 3 * x * x; }, 0.1, 100, 1e-10},
    {"large values", [](double x) { return 1e8 * std::sin(x); }, [](double x) { return 1e8 * std::cos(x); },
     -3, 3, 1e-10, 1e8},
    {"small values", [](double x) { return 1e-8 * std::sin(x); }, [](double x) { return 1e-8 * std::cos(x); },
     -3, 3, 1e-10, 1e-8},
    {"large arguments", [](double x) { return std::sqrt(x); }, [](double x) { return 0.5 / std::sqrt(x); },
     1e6, 1e9, 1e-11},
    {"narrow bell", [](double x) { return std::exp(-1e6 * x * x); },
     [](double x) { return -2e6 * x * std::exp(-1e6 * x * x); }, -2e-3, 2e-3, 1e-6, 1e3},
    {"step by tanh", [](double x) { return std::tanh(30 * x); },
     [](double x) { return 30 / std::pow(std::cosh(30 * x), 2); }, -0.2, 0.2, 1e-6, 30},
    {"linear", [](double x) { return 3 * x; }, [](double) { return 3; }, -10, 10, 1e-11},
    {"constant and more", [](double x) { return 1000 + x; }, one, -10, 10, 1e-8},
    {"cancellation of 1e4", [](double x) { return shifted(x, 1e4); }, one, -3, 3, 1e-6},
    {"cancellation of 1e6", [](double x) { return shifted(x, 1e6); }, one, -3, 3, 1e-4},
    {"noise", jitter, cosine, -1, 1, 1e-2, 1},
    {"rounded values", rounded, cosine, -1, 1, 1e-2, 1},
    {"single precision", [](double x) { return double{std::sin(static_cast<float>(x))}; }, cosine, -1, 1, 10,
     1},
};

class DifferenceOf : public testing::TestWithParam<Known> {};
INSTANTIATE_TEST_SUITE_P(Battery, DifferenceOf, testing::ValuesIn(battery), [](const auto& test) {
  std::string name = test.param.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

TEST_P(DifferenceOf, IsAsUncertainAsItSays) {
  const Known& known = GetParam();
  Random random(11, stream_of(known.name));
  for (int i = 0; i < 2000; ++i) {
    const double x = known.low + (known.high - known.low) * random.uniform();
    const Difference found = at(known.f, x);
    const double derivative = known.derivative(x);
    ASSERT_LE(std::abs(found.value - derivative), 10 * found.uncertainty) << "at " << x;
    const double size = known.size > 0 ? known.size : std::abs(derivative);
    ASSERT_LE(found.uncertainty, known.precision * size) << "at " << x;
    ASSERT_FALSE(found.kink) << "at " << x << ": from " << found.left << " to " << found.right;
  }
}

// A derivative that is so uncertain says so.
TEST(Difference, OfNoiseDoesNotSettle) {
  EXPECT_TRUE(at([](double x) { return std::sin(x); }, 0.7).settled);
  EXPECT_TRUE(at([](double) { return 3.0; }, 0.7).settled);
  Random random(5, 5);
  const auto found = at([&](double x) { return std::sin(x) + 1e-3 * random.normal(); }, 0.7);
  EXPECT_FALSE(found.settled);
  EXPECT_GT(found.uncertainty, 1e-3);
}

TEST(Difference, OutsideOfADomainDoesNotSettle) {
  const auto found = at([](double x) { return std::sqrt(x); }, 0);
  EXPECT_FALSE(found.settled);
  EXPECT_FALSE(std::isfinite(found.value) && found.uncertainty < 1);
}

// One side of the domain is enough for small steps.
TEST(Difference, NearTheEndOfADomain) {
  const auto found = at([](double x) { return std::sqrt(x); }, 1e-9, 1.0 / 32);
  EXPECT_NEAR(found.value, 0.5 / std::sqrt(1e-9), 1e-3);
  EXPECT_LE(std::abs(found.value - 0.5 / std::sqrt(1e-9)), 10 * found.uncertainty);
}

TEST(Difference, AtAKinkIsBetweenTheSides) {
  struct Kink {
    Function f;
    double x, left, right;
  };
  for (const auto& [f, x, left, right] : {
           Kink{[](double x) { return std::abs(x); }, 0, -1, 1},
           Kink{[](double x) { return std::max(x, 0.0); }, 0, 0, 1},
           Kink{[](double x) { return 5 + std::max(x, 0.0); }, 0, 0, 1},
           Kink{[](double x) { return std::max(x, 0.01 * x); }, 0, 0.01, 1},
           Kink{[](double x) { return std::exp(x) + std::abs(x - 1); }, 1, std::exp(1) - 1, std::exp(1) + 1},
           Kink{[](double x) { return std::sin(x) + 1e-3 * std::abs(x - 1); }, 1, std::cos(1) - 1e-3,
                std::cos(1) + 1e-3},
           Kink{[](double x) { return 1e8 * std::abs(x); }, 0, -1e8, 1e8},
           Kink{[](double x) { return std::min(x, 2.0); }, 2, 1, 0},
       }) {
    const Difference found = at(f, x);
    EXPECT_TRUE(found.kink) << x << ": " << left << ", " << right;
    // One-sided derivatives without the part that is of the order of the step.
    const double size = std::max(std::abs(left), std::abs(right));
    EXPECT_NEAR(found.left, left, 1e-8 * size);
    EXPECT_NEAR(found.right, right, 1e-8 * size);
    EXPECT_NEAR(found.value, (left + right) / 2, 1e-8 * size);
  }
}

// Beside a kink the steps must become small enough; where they cannot, it is reported.
TEST(Difference, BesideAKinkIsTheSmoothSidesOrAKink) {
  for (double x = 1e-14; x < 1; x *= 1.7)
    for (const double sign : {-1.0, 1.0})
      for (const double large : {0.0, 100.0}) {
        const Difference found =
            at([large](double x) { return large * std::cos(x) + std::abs(x); }, sign * x, 0.1 / 32);
        const double derivative = sign - large * std::sin(sign * x);
        const double low = std::min(found.left, found.right), high = std::max(found.left, found.right);
        const bool accepted = found.kink && low - 1e-3 <= derivative && derivative <= high + 1e-3;
        EXPECT_TRUE(accepted || std::abs(found.value - derivative) <= 10 * found.uncertainty)
            << sign * x << ": " << found.value << " ± " << found.uncertainty;
        if (x < 1e-5) continue;
        EXPECT_FALSE(found.kink) << sign * x;
        EXPECT_LT(found.uncertainty, 1e-4) << sign * x;
      }
}

// Curves at a point where they are flat, or as sharp as a kink from afar.
TEST(Difference, OfCurvesIsNoKink) {
  for (double x : {0.0, 1e-3, 0.3, 1.0, 30.0}) {
    EXPECT_FALSE(at([](double x) { return x * x; }, x).kink) << x;
    EXPECT_FALSE(at([](double x) { return 1 + x * x; }, x).kink) << x;
    EXPECT_FALSE(at([](double x) { return std::pow(std::abs(x), 1.5); }, x + 1e-2).kink) << x;
    EXPECT_FALSE(at([](double x) { return std::exp(50 * x); }, x / 10).kink) << x;
    EXPECT_FALSE(at([](double x) { return std::sqrt(x * x + 1e-4); }, x).kink) << x;
    EXPECT_FALSE(at([](double x) { return std::log1p(std::exp(1000 * x)) / 1000; }, x / 100).kink) << x;
  }
}

// A jump is no kink: nothing is known there.
TEST(Difference, AtAJumpIsUncertain) {
  const auto found = at([](double x) { return x >= 0 ? 1.0 : 0.0; }, 0);
  EXPECT_FALSE(found.kink);
  EXPECT_FALSE(found.settled);
  EXPECT_FALSE(at([](double x) { return x == 0 ? 1.0 : 0.0; }, 0).settled);
}

// The derivative is 0 where nothing changes, and the less uncertain the farther that holds.
TEST(Difference, OfAConstantIsExactlyZero) {
  const Difference constant = at([](double) { return 7.0; }, 0.7);
  EXPECT_EQ(constant.value, 0);
  EXPECT_LT(constant.uncertainty, 1e-14);
  const Difference saturated = at([](double x) { return 7 + 1 / (1 + std::exp(-x)); }, 40);
  EXPECT_EQ(saturated.value, 0);
  EXPECT_GT(saturated.uncertainty, 4.3e-18);  // its derivative
  EXPECT_GT(saturated.uncertainty, 10 * at([](double) { return 8.0; }, 40).uncertainty);
}

// Several outputs at once are what each is alone.
TEST(Difference, OfSeveralOutputs) {
  const Function functions[] = {[](double x) { return std::exp(x); },
                                [](double x) { return std::abs(x - 0.5); }, [](double) { return 2.0; },
                                [](double x) { return 1e6 * x; }};
  const auto together = differentiate(
      [&](double offset, std::span<double> y) {
        for (std::size_t j = 0; j < 4; ++j) y[j] = functions[j](0.5 + offset);
      },
      4, 0.5 / 32);
  ASSERT_EQ(together.size(), 4U);
  EXPECT_NEAR(together[0].value, std::exp(0.5), 1e-11);
  EXPECT_TRUE(together[1].kink);
  EXPECT_EQ(together[2].value, 0);
  EXPECT_NEAR(together[3].value, 1e6, 1e-4);
  EXPECT_FALSE(together[0].kink || together[2].kink || together[3].kink);
}

// Errors of the function are not swallowed.
TEST(Difference, OfAFunctionThatThrows) {
  EXPECT_THROW(at([](double x) { return x > 1 ? throw std::domain_error("x") : x; }, 1), std::domain_error);
}

}  // namespace
}  // namespace gradus
