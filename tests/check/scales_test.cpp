// Functions and arguments of all scales: a right gradient is never called wrong, a wrong one never right, and
// what the differences leave open is called so, and only where they must.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <ostream>
#include <string>

#include "gradus/ops.hpp"
#include "tests/support/planted.hpp"

namespace gradus::test {
namespace {

// A function of one number, its derivative, and how far its shape is the same around u.
struct Shape1 {
  std::string name;
  double (*f)(double u);
  double (*derivative)(double u);
  double (*reach)(double u);
  bool positive = false;  // is it defined there alone?
  bool has_two_scales = false;
};

double one(double) { return 1; }
double itself(double u) { return std::abs(u); }
double at_least_one(double u) { return std::max(1.0, std::abs(u)); }
double sigmoid_of(double u) { return 1 / (1 + std::exp(-u)); }

const Shape1 shapes[] = {
    {"sine", [](double u) { return std::sin(u); }, [](double u) { return std::cos(u); }, one},
    {"cosine", [](double u) { return std::cos(u); }, [](double u) { return -std::sin(u); }, one},
    {"sine_and_line", [](double u) { return std::sin(u) + 0.25 * u; },
     [](double u) { return std::cos(u) + 0.25; }, one, false, true},
    {"exponential", [](double u) { return std::exp(u); }, [](double u) { return std::exp(u); }, one},
    {"tanh", [](double u) { return std::tanh(u); },
     [](double u) { return 1 / (std::cosh(u) * std::cosh(u)); }, one},
    {"sigmoid", sigmoid_of, [](double u) { return sigmoid_of(u) * sigmoid_of(-u); }, one},
    {"square", [](double u) { return u * u; }, [](double u) { return 2 * u; }, itself},
    {"cube", [](double u) { return u * u * u; }, [](double u) { return 3 * u * u; }, itself},
    {"square_and_one", [](double u) { return 1 + u * u; }, [](double u) { return 2 * u; }, itself},
    {"line", [](double u) { return 3 * u; }, [](double) { return 3.0; }, itself},
    {"line_and_one", [](double u) { return 1 + 3 * u; }, [](double) { return 3.0; }, itself},
    {"reciprocal", [](double u) { return 1 / u; }, [](double u) { return -1 / (u * u); }, itself},
    {"root", [](double u) { return std::sqrt(u); }, [](double u) { return 0.5 / std::sqrt(u); }, itself,
     true},
    {"logarithm", [](double u) { return std::log(u); }, [](double u) { return 1 / u; }, itself, true},
    {"arc_tangent", [](double u) { return std::atan(u); }, [](double u) { return 1 / (1 + u * u); },
     at_least_one},
    {"smooth_corner", [](double u) { return std::sqrt(1 + u * u); },
     [](double u) { return u / std::sqrt(1 + u * u); }, at_least_one},
    {"bell", [](double u) { return std::exp(-u * u); }, [](double u) { return -2 * u * std::exp(-u * u); },
     one},
    {"wave_packet", [](double u) { return std::sin(5 * u) * std::exp(-u * u); },
     [](double u) { return (5 * std::cos(5 * u) - 2 * u * std::sin(5 * u)) * std::exp(-u * u); }, one},
};

std::ostream& operator<<(std::ostream& out, const Shape1& shape) { return out << shape.name; }

// f(x / length) · size at x.
struct Instance {
  const Shape1* shape;
  double x, length, size;
  double value(double at) const { return size * shape->f(at / length); }
  double slope() const { return size * (shape->derivative(x / length) / length); }
  bool is_normal() const {
    return std::isnormal(slope()) && std::isfinite(value(x)) && std::abs(slope()) < 1e200 &&
           std::abs(slope()) > 1e-200 && std::abs(value(x)) < 1e200;
  }
  // A step exists that is far above the rounding of x and of the values, and far below the shape's reach.
  bool resolvable() const {
    const double reach = shape->reach(x / length) * length;
    const double step = std::min(1e-4 * reach, std::max(std::abs(x), 1e-3) / 32);
    const double change = std::abs(slope()) * step;
    return step > 1e5 * 2.2e-16 * std::abs(x) && change > 1e5 * 2.2e-16 * std::abs(value(x)) &&
           change < 1e200 && change > 1e-11 && size >= 1 && !shape->has_two_scales;
  }
};
std::ostream& operator<<(std::ostream& out, const Instance& i) {
  return out << i.size << " * " << i.shape->name << "(x / " << i.length << ") at " << i.x;
}

void expect_honest(const Instance& i, const std::function<GradientReport(double factor)>& checked) {
  const GradientReport right = checked(1);
  EXPECT_EQ(right.tensors[0].failures, 0U) << i << "\n" << right.text();
  EXPECT_FALSE(i.resolvable() && (right.tensors[0].unsettled > 0 || !right.ok())) << i << "\n"
                                                                                  << right.text();
  for (const double factor : {3.0, -1.0, 0.5, 0.0, 1.01}) {
    if (factor == 0 && !i.resolvable()) continue;  // no difference tells a slope that is hidden from none
    const GradientReport wrong = checked(factor);
    const CheckedTensor& tensor = wrong.tensors[0];
    EXPECT_TRUE(tensor.failures > 0 || tensor.unsettled > 0 || (tensor.kinks > 0 && !i.resolvable()))
        << factor << " times: " << i << "\n"
        << wrong.text();
  }
}

class Scales : public testing::TestWithParam<Shape1> {
 protected:
  template <class Visit> void for_all(const Visit& visit) {
    for (const double x :
         {0.0,  1.37e-160, 1.37e-40, 1.37e-30, 1.37e-23, 1.37e-18, 1.37e-12, 1.37e-6,  1.37e-3,  0.7,
          1.37, 20.0,      41.0,     1.37e3,   1.37e6,   1.37e8,   1.37e10,  1.37e11,  1.37e12,  1.37e13,
          1e14, 1.37e14,   1.37e15,  1.37e16,  1.37e18,  1.37e25,  1.37e100, 1.37e154, 1.37e200, 1.37e300})
      for (const double sign : {1.0, -1.0})
        for (const double length : {1e-30, 1e-18, 1e-17, 1e-15, 1e-12, 1e-6, 1e-3, 1.0, 1e6, 1e12, 1e18})
          for (const double size : {1e-20, 1e-8, 1.0, 1e12}) {
            const Instance instance{&GetParam(), sign * x, length, size};
            if (GetParam().positive && instance.x <= 0) continue;
            if (instance.is_normal()) visit(instance);
          }
  }
};
INSTANTIATE_TEST_SUITE_P(All, Scales, testing::ValuesIn(shapes), [](const auto& t) { return t.param.name; });

TEST_P(Scales, OfPlainFunctions) {
  // A wave that is small beside the values looks like the rounding of a function that says nothing of it.
  if (GetParam().has_two_scales) GTEST_SKIP();
  for_all([&](const Instance& i) {
    expect_honest(i, [&](double factor) {
      return check_gradient([&](const std::vector<std::vector<double>>& v) { return i.value(v[0][0]); },
                            {{"x", {i.x}, {factor * i.slope()}}});
    });
  });
}

// Of a graph the rounding is measured: there a wave is told from it.
TEST_P(Scales, OfGraphs) {
  for (const double x : {0.0, 1.37e-40, 1.37e-23, 1.37e-12, 1.37, 1.37e8, 1e14, 1.37e18})
    for (const double length : {1e-18, 1e-12, 1.0, 1e12}) {
      const Instance i{&GetParam(), x, length, 1};
      if ((GetParam().positive && x <= 0) || !i.is_normal()) continue;
      // A wave that is less than the last digits of the values is not in them.
      if (GetParam().has_two_scales && std::abs(i.value(x)) > 1e14) continue;
      expect_honest(i, [&](double factor) {
        Graph g;
        const Expr y = planted(
            g.input("x", {}), [&](auto in, auto out) { out[0] = i.value(in[0]); },
            [&](auto, auto, auto c) { return c * (factor * i.slope()); });
        return check(y, {.properties = false}, {{"x", {x}}}, 1);
      });
    }
}

double sine_at_1e14(double x) { return std::sin(x); }

// The verdict on what cannot be told is neither of the two, and fails a check that shows nothing else.
TEST(Unsettled, IsNeitherRightNorWrong) {
  for (const double factor : {1.0, 3.0, 0.0}) {
    const auto report =
        check_gradient([](const std::vector<std::vector<double>>& v) { return sine_at_1e14(v[0][0]); },
                       {{"x", {1e14}, {factor * std::cos(1e14)}}});
    EXPECT_FALSE(report.ok());
    EXPECT_EQ(report.tensors[0].failures, 0U);
    EXPECT_EQ(report.tensors[0].unsettled, 1U);
    EXPECT_THAT(report.text(), testing::HasSubstr("UNSETTLED (1 of 1 differences do not settle: [0])"));
  }
}

// Rounding that hides the whole of a gradient is no fault of the point's, but it is said.
TEST(Unsettled, IsWhatRoundingHides) {
  const auto report =
      check_gradient([](const std::vector<std::vector<double>>& v) { return 1 + v[0][0] * v[0][0]; },
                     {{"x", {1e-23}, {2e-23}}});
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.tensors[0].unsettled, 1U);
}

// Among other entries of the tensor, which are settled.
TEST(Unsettled, IsOneEntryOfMany) {
  std::vector<double> x(12, 0.5), gradient(12, 1.0);
  x[7] = 1e-23;
  const auto of_squares = [](const std::vector<std::vector<double>>& v) {
    double sum = 0;
    for (const double each : v[0]) sum += each * each;
    return sum;
  };
  gradient[7] = 2e-23;
  EXPECT_TRUE(check_gradient(of_squares, {{"x", x, gradient}}).ok());
  gradient[3] = 1.001;
  EXPECT_EQ(check_gradient(of_squares, {{"x", x, gradient}}).tensors[0].worst.what, "[3]");
}

}  // namespace
}  // namespace gradus::test
