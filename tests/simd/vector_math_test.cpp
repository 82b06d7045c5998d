#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "gradus/base/random.hpp"
#include "gradus/graph/elementwise.hpp"
#include "gradus/graph/graph.hpp"
#include "gradus/ops.hpp"
#include "gradus/simd/isa.hpp"
#include "tests/support/evaluate.hpp"

// The vector functions against std's in the next larger format, by the blocks of their ops. ctest runs this
// program once for each instruction set. GRADUS_EVERY_FLOAT=1 takes all 2³² floats instead of one in 4,093.
namespace gradus {
namespace {

using Extended = long double;

struct Function {
  const char* name;
  Expr (*build)(Arg);
  Extended (*exact)(Extended);
  double (*exact_of_float)(double);
  double float_ulps;  ///< that its floats may be off
};

template <class T> T exact_sigmoid(T x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
template <class T> T exact_softplus(T x) { return (x < 0 ? T(0) : x) + std::log1p(std::exp(-std::abs(x))); }

template <class T> T exact_gaussian(T x) {
  return static_cast<T>(std::exp(-static_cast<Extended>(x) * static_cast<Extended>(x)));
}
template <class T> T exact_normal_cdf(T x) {
  return static_cast<T>(std::erfc(-static_cast<Extended>(x) * std::sqrt(0.5L)) / 2);
}
template <class T> T exact_gelu(T x) { return (x < -1000 ? -1000 : x) * exact_normal_cdf(x); }

const Function functions[] = {
    {"exp", [](Arg x) { return exp(x); }, std::exp, std::exp, 2},
    {"log", [](Arg x) { return log(x); }, std::log, std::log, 2},
    {"tanh", [](Arg x) { return tanh(x); }, std::tanh, std::tanh, 2},
    {"expm1", [](Arg x) { return expm1(x); }, std::expm1, std::expm1, 3},
    {"log1p", [](Arg x) { return log1p(x); }, std::log1p, std::log1p, 3},
    {"sigmoid", [](Arg x) { return sigmoid(x); }, exact_sigmoid, exact_sigmoid, 3},
    {"softplus", [](Arg x) { return softplus(x); }, exact_softplus, exact_softplus, 3},
    {"sinh", [](Arg x) { return sinh(x); }, std::sinh, std::sinh, 3},
    {"cosh", [](Arg x) { return cosh(x); }, std::cosh, std::cosh, 3},
    {"sin", [](Arg x) { return sin(x); }, std::sin, std::sin, 2},
    {"cos", [](Arg x) { return cos(x); }, std::cos, std::cos, 2},
    {"tan", [](Arg x) { return tan(x); }, std::tan, std::tan, 3},
    {"asin", [](Arg x) { return asin(x); }, std::asin, std::asin, 3},
    {"acos", [](Arg x) { return acos(x); }, std::acos, std::acos, 3},
    {"atan", [](Arg x) { return atan(x); }, std::atan, std::atan, 3},
    {"erf", [](Arg x) { return erf(x); }, std::erf, std::erf, 3},
    {"erfc", [](Arg x) { return erfc(x); }, std::erfc, std::erfc, 3},
    {"gaussian", [](Arg x) { return gaussian(x); }, exact_gaussian, exact_gaussian, 3},
    {"normal_cdf", [](Arg x) { return normal_cdf(x); }, exact_normal_cdf, exact_normal_cdf, 3},
    {"gelu", [](Arg x) { return gelu(x); }, exact_gelu, exact_gelu, 3},
};

class VectorMath : public testing::TestWithParam<Function> {
 protected:
  // An op of one input, as a function of many numbers.
  template <class T> std::vector<T> values(const std::vector<T>& x) const {
    Graph g;
    const Expr y = GetParam().build(g.input("x", {1}));
    const ElementwiseOp& op = *op_of(y)->elementwise();
    std::vector<T> out(x.size());
    const T* in = x.data();
    T* const to = out.data();
    std::get<Block<T>>(op.block(dtype_of<T>, 0))(&op, &in, &to, x.size());
    return out;
  }
};

// How far `got` is from `exact`, in units of `unit` at exact's size; NaN and ∞ must be met, and what is below
// the normal numbers may be 0.
template <class T, class Exact> double error(T got, Exact exact, double unit) {
  constexpr double wrong = std::numeric_limits<double>::infinity();
  const T rounded = static_cast<T>(exact);
  if (std::isnan(rounded) || std::isnan(got)) return std::isnan(rounded) && std::isnan(got) ? 0 : wrong;
  if (std::isinf(rounded) || std::isinf(got)) return rounded == got ? 0 : wrong;
  if (std::abs(exact) < std::numeric_limits<T>::min())
    return std::abs(got) <= 2 * std::numeric_limits<T>::min() && std::signbit(got) == std::signbit(rounded)
               ? 0
               : wrong;
  int exponent = 0;
  std::frexp(rounded, &exponent);
  const double size = unit > 0 ? std::ldexp(unit, exponent) : static_cast<double>(std::abs(exact));
  return static_cast<double>(std::abs(got - exact)) / size;
}

TEST_P(VectorMath, FloatsAreWithinAFewUnits) {
  const bool every = std::getenv("GRADUS_EVERY_FLOAT") != nullptr;
  const std::uint64_t step = every ? 1 : 4093;
  double worst = 0;
  float worst_at = 0;
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits < 1ULL << 32;) {
    x.clear();
    for (; x.size() < 4096 && bits < 1ULL << 32; bits += step)
      x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    const std::vector<float> y = values(x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double off = error(y[i], GetParam().exact_of_float(static_cast<double>(x[i])), 0x1p-24);
      if (off > worst) {
        worst = off;
        worst_at = x[i];
      }
    }
  }
  EXPECT_LE(worst, GetParam().float_ulps) << "ulp at " << std::hexfloat << worst_at;
  RecordProperty("worst_ulp", std::to_string(worst));
}

TEST_P(VectorMath, DoublesAreWithin1e15) {
  Random random(11, 0);
  double worst = 0;
  double worst_at = 0;
  const auto check = [&](const std::vector<double>& x) {
    const std::vector<double> y = values(x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double off = error(y[i], GetParam().exact(x[i]), 0);
      if (off > worst) {
        worst = off;
        worst_at = x[i];
      }
    }
  };
  for (int round = 0; round < 60; ++round) {
    std::vector<double> wide, near, tiny, any;
    for (int i = 0; i < 1024; ++i) {
      wide.push_back(random.uniform(-760, 760));
      near.push_back(random.uniform(-2, 2));
      tiny.push_back(std::ldexp(random.uniform(-1, 1), -round));
      any.push_back(std::bit_cast<double>(random.bits64()));
    }
    for (const auto& x : {wide, near, tiny, any}) check(x);
  }
  EXPECT_LE(worst, 1e-15) << "relative at " << std::hexfloat << worst_at;
}

// The arguments at which a function leaves the numbers, and the numbers around them.
TEST_P(VectorMath, IsRightAtTheEdges) {
  const auto check = [&](auto one, std::initializer_list<double> edges, double bound) {
    using T = decltype(one);
    constexpr T infinity = std::numeric_limits<T>::infinity();
    std::vector<T> x;
    for (const double edge : edges)
      for (const T sign : {T(1), T(-1)}) {
        T at = sign * static_cast<T>(edge);
        for (int k = 0; k < 3; ++k) at = std::nextafter(at, -infinity);
        for (int k = 0; k < 7; ++k, at = std::nextafter(at, infinity)) x.push_back(at);
      }
    const std::vector<T> y = values(x);
    for (std::size_t i = 0; i < x.size(); ++i)
      EXPECT_LE(error(y[i], GetParam().exact(x[i]), sizeof(T) == 4 ? 0x1p-24 : 0), bound)
          << std::hexfloat << x[i] << " -> " << y[i];
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  check(
      1.0F,
      {0, 1, 0x1p-126, 0x1p-149, 87.33654, 88.02969, 88.37626, 88.72283, 103.97208, 0x1.fffffep127, infinity},
      GetParam().float_ulps);
  check(1.0,
        {0, 1, 0x1p-1022, 0x1p-1074, 708.3964, 709.0895, 709.78271289338397, 745.1332, 0x1.fffffffffffffp1023,
         infinity},
        1e-15);
  EXPECT_TRUE(std::isnan(values(std::vector<float>{std::nanf("")})[0]));
  EXPECT_TRUE(std::isnan(values(std::vector<double>{std::nan("")})[0]));
}

// In any place of any length, and beside any neighbours.
TEST_P(VectorMath, DoesNotDependOnThePosition) {
  const auto check = [&](auto one) {
    using T = decltype(one);
    Random random(5, 0);
    std::vector<T> x;
    for (int i = 0; i < 67; ++i) x.push_back(static_cast<T>(random.uniform(-20, 20)));
    const std::vector<T> y = values(x);
    for (std::size_t length = 1; length < x.size(); ++length) {
      const std::vector<T> part(x.end() - static_cast<std::ptrdiff_t>(length), x.end());
      const std::vector<T> z = values(part);
      for (std::size_t i = 0; i < length; ++i) {
        const T expected = y[x.size() - length + i];
        EXPECT_TRUE(z[i] == expected || (std::isnan(z[i]) && std::isnan(expected))) << part[i];
      }
    }
  };
  check(1.0F);
  check(1.0);
}

INSTANTIATE_TEST_SUITE_P(All, VectorMath, testing::ValuesIn(functions),
                         [](const auto& info) { return info.param.name; });

TEST(Isa, IsTheOneAskedFor) {
  const char* wanted = std::getenv("GRADUS_ISA");
  EXPECT_EQ(to_string(current_isa()), wanted == nullptr ? to_string(current_isa()) : wanted);
}

// A run takes denormals for zeros, of their sign, in every function and with every instruction set.
template <class T> void expect_denormals_like_zeros() {
  const Function pow_functions[] = {
      {"pow 0.5", [](Arg x) { return pow(x, 0.5); }, nullptr, nullptr, 0},
      {"pow -1", [](Arg x) { return pow(x, -1); }, nullptr, nullptr, 0},
      {"pow -2.5", [](Arg x) { return pow(x, -2.5); }, nullptr, nullptr, 0},
      {"pow of both", [](Arg x) { return pow(x, x.expr + 3); }, nullptr, nullptr, 0},
      {"sqrt", [](Arg x) { return sqrt(x); }, nullptr, nullptr, 0},
      {"norm", [](Arg x) { return norm(x, {}); }, nullptr, nullptr, 0}};
  const double denormal = std::numeric_limits<T>::min() / 64;
  Graph g;
  const Expr x = g.input("x", {4});
  const auto check = [&](const Function& f) {
    const auto of = [&](double size) {
      return test::evaluate<T>(f.build(x), {{x, test::Numbers{size, -size, size, -size}}});
    };
    EXPECT_TRUE(test::same_bits(of(denormal), of(0))) << f.name;
  };
  for (const Function& f : pow_functions) check(f);
  const auto of_log = test::evaluate<T>(log(x), {{x, test::Numbers{denormal, -denormal, 0, -0.0}}});
  EXPECT_EQ(of_log, std::vector<T>(4, -std::numeric_limits<T>::infinity()));
}

TEST(Denormals, AreZerosToPowersAndLogarithms) {
  expect_denormals_like_zeros<float>();
  expect_denormals_like_zeros<double>();
}

}  // namespace
}  // namespace gradus
