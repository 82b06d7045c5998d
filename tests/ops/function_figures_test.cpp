#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/base/random.hpp"
#include "gradus/ops.hpp"
#include "gradus/simd/isa.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/figures.hpp"

// Every elementwise function and its slope against figures of multi-precision arithmetic
// (tests/interop/function_figures.py): at special points and on a grid, in float and double, within run().
namespace gradus::test {
namespace {

struct Function {
  const char* name;
  Expr (*build)(const Exprs&);
  double float_slope = 0;   ///< what a slope in float may be off besides some share of itself
  double double_slope = 0;  ///< the same in double
  double baseline_ulps = 3;
  double float_share = 1e-6;  ///< that share
  double double_share = 1e-14;
  double float_ulps = 3;
  double double_ulps = 3;
};

// The slopes of tanh and sigmoid come from their values, as gradus/ops/activation.hpp says, and that of pow
// from another power, as gradus/ops/power.hpp does; those of gelu and gelu_tanh change sign. erfc on baseline
// is std's. The exponential within gelu_tanh magnifies what its argument was rounded by.
const Function functions[] = {
    {"exp", [](const Exprs& x) { return exp(x[0]); }},
    {"log", [](const Exprs& x) { return log(x[0]); }},
    {"log1p", [](const Exprs& x) { return log1p(x[0]); }},
    {"expm1", [](const Exprs& x) { return expm1(x[0]); }},
    {"sqrt", [](const Exprs& x) { return sqrt(x[0]); }},
    {"square", [](const Exprs& x) { return square(x[0]); }},
    {"reciprocal", [](const Exprs& x) { return 1 / x[0]; }},
    {"power_1.5", [](const Exprs& x) { return pow(x[0], 1.5); }},
    {"sinh", [](const Exprs& x) { return sinh(x[0]); }},
    {"cosh", [](const Exprs& x) { return cosh(x[0]); }},
    {"sin", [](const Exprs& x) { return sin(x[0]); }},
    {"cos", [](const Exprs& x) { return cos(x[0]); }},
    {"tan", [](const Exprs& x) { return tan(x[0]); }},
    {"asin", [](const Exprs& x) { return asin(x[0]); }},
    {"acos", [](const Exprs& x) { return acos(x[0]); }},
    {"atan", [](const Exprs& x) { return atan(x[0]); }},
    {"erf", [](const Exprs& x) { return erf(x[0]); }},
    {"erfc", [](const Exprs& x) { return erfc(x[0]); }, 0, 0, 6},
    {"gaussian", [](const Exprs& x) { return gaussian(x[0]); }},
    {"normal_cdf", [](const Exprs& x) { return normal_cdf(x[0]); }, 0, 0, 6},
    {"gelu", [](const Exprs& x) { return gelu(x[0]); }, 1e-6, 1e-14, 6},
    {"gelu_tanh", [](const Exprs& x) { return gelu_tanh(x[0]); }, 1e-6, 1e-14, 3, 2e-5, 3e-13, 250, 2000},
    {"elu", [](const Exprs& x) { return elu(x[0]); }},
    {"sigmoid", [](const Exprs& x) { return sigmoid(x[0]); }, 1.2e-7, 2.3e-16},
    {"tanh", [](const Exprs& x) { return tanh(x[0]); }, 2.4e-7, 4.5e-16},
    {"softplus", [](const Exprs& x) { return softplus(x[0]); }},
    {"relu", [](const Exprs& x) { return relu(x[0]); }},
    {"abs", [](const Exprs& x) { return abs(x[0]); }},
    {"atan2", [](const Exprs& x) { return atan2(x[0], x[1]); }},
    {"pow", [](const Exprs& x) { return pow(x[0], x[1]); }, 0, 0, 3, 4e-6},
    {"div", [](const Exprs& x) { return x[0] / x[1]; }},
    {"logistic_loss", [](const Exprs& x) { return logistic_loss(x[0], x[1]); }},
};

double number(const Json& json) {
  if (!json.is_string()) return json.get<double>();
  const auto word = json.get<std::string>();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return word == "inf" ? infinity : word == "-inf" ? -infinity : std::numeric_limits<double>::quiet_NaN();
}

// A point of the figures, as far as the type has it.
template <class T> struct Figure {
  Numbers x;
  long double value;
  Numbers slopes;

  Figure(const Json& entry, std::size_t arity) : value(number(entry[arity])) {
    if (std::isfinite(value)) value += number(entry[arity + 1]);
    for (std::size_t i = 0; i < arity; ++i) {
      x.push_back(number(entry[i]));
      slopes.push_back(number(entry[arity + 2 + i]));
    }
  }
  bool fits() const {
    return std::ranges::all_of(
        x, [](double v) { return std::isnan(v) || static_cast<double>(static_cast<T>(v)) == v; });
  }
  bool denormal() const {
    return std::ranges::any_of(
        x, [](double v) { return v != 0 && std::abs(v) < double{std::numeric_limits<T>::min()}; });
  }
};

// In units of the last place of the true value; of results below the normal numbers 0 is as good as any, and
// what overflows is ∞.
template <class T> double ulps(T found, long double exact) {
  using Limits = std::numeric_limits<T>;
  constexpr double wrong = std::numeric_limits<double>::infinity();
  const T rounded = static_cast<T>(exact);
  if (std::isnan(rounded) || std::isnan(found)) return std::isnan(rounded) && std::isnan(found) ? 0 : wrong;
  if (std::isinf(rounded) || std::isinf(found)) return rounded == found ? 0 : wrong;
  if (std::abs(exact) < Limits::min()) return std::abs(found) <= 2 * Limits::min() ? 0 : wrong;
  return static_cast<double>(std::abs(found - exact) /
                             std::ldexp(1.0L, std::ilogb(rounded) + 1 - Limits::digits));
}

template <class T> bool slope_is_right(T found, double exact, double relative, double absolute) {
  if (std::isnan(exact)) return true;  // where there is none
  const T rounded = static_cast<T>(exact);
  if (std::isinf(rounded) || std::isinf(found)) return found == rounded;
  const double least = 2 * double{std::numeric_limits<T>::min()};
  return std::abs(static_cast<double>(found) - exact) <= relative * std::abs(exact) + absolute + least;
}

class FunctionFigures : public testing::TestWithParam<Function> {
 protected:
  template <class T> void check() const {
    const Function& f = GetParam();
    const Json& entries = figures("functions").at(f.name);
    const std::size_t arity = (entries[0].size() - 2) / 2;
    std::vector<Figure<T>> points;
    for (const Json& entry : entries) {
      const Figure<T> point(entry, arity);
      // The sign of a pole at -0 is IEEE's.
      const bool pole = std::isinf(point.value) || std::isinf(point.slopes[0]);
      if (pole && point.x[0] == 0 && std::signbit(point.x[0])) continue;
      if (point.fits() && !point.denormal()) points.push_back(point);
    }
    Graph g;
    Exprs x, outputs;
    std::vector<Feed> feeds;
    for (std::size_t k = 0; k < arity; ++k) {
      x.push_back(g.input("x" + std::to_string(k), {std::ssize(points)}));
      Numbers values;
      for (const Figure<T>& point : points) values.push_back(point.x[k]);
      feeds.emplace_back(x[k], values);
    }
    outputs.push_back(f.build(x));
    for (const Expr& leaf : x) outputs.push_back(grad(sum(outputs[0]), leaf));
    compare(points, evaluate<T>(outputs, feeds));
  }

  template <class T>
  void compare(const std::vector<Figure<T>>& points, const std::vector<std::vector<T>>& found) const {
    const Function& f = GetParam();
    constexpr bool single = sizeof(T) == sizeof(float);
    const double most =
        std::max(single ? f.float_ulps : f.double_ulps, current_isa() == Isa::baseline ? f.baseline_ulps : 3);
    double worst = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const std::string at = testing::PrintToString(points[i].x);
      const double off = ulps(found[0][i], points[i].value);
      EXPECT_LE(off, most) << f.name << " of " << at << ": " << found[0][i] << " instead of "
                           << static_cast<double>(points[i].value);
      worst = std::max(worst, off);
      if (std::isnan(points[i].value)) continue;
      for (std::size_t k = 0; k < points[i].x.size(); ++k)
        EXPECT_TRUE(slope_is_right(found[1 + k][i], points[i].slopes[k],
                                   single ? f.float_share : f.double_share,
                                   single ? f.float_slope : f.double_slope))
            << "the slope " << k << " of " << f.name << " at " << at << ": " << found[1 + k][i]
            << " instead of " << points[i].slopes[k];
    }
    RecordProperty(single ? "worst_ulp_float" : "worst_ulp_double", std::to_string(worst));
  }
};

INSTANTIATE_TEST_SUITE_P(All, FunctionFigures, testing::ValuesIn(functions), [](const auto& info) {
  std::string name = info.param.name;
  std::ranges::replace(name, '.', '_');
  return name;
});

TEST_P(FunctionFigures, AreMetInFloat) { check<float>(); }
TEST_P(FunctionFigures, AreMetInDouble) { check<double>(); }

// The documented bounds of the slopes that come from values, on a fine grid.
template <class T> double worst_slope(Expr (*f)(Arg), long double (*slope)(long double)) {
  Numbers points;
  for (int i = -40'000; i <= 40'000; ++i) points.push_back(static_cast<T>(i * 0.001));
  Graph g;
  const Expr x = g.input("x", {std::ssize(points)});
  const std::vector<T> found = evaluate<T>(grad(sum(f(x)), x), {{x, points}});
  double worst = 0;
  for (std::size_t i = 0; i < points.size(); ++i)
    worst = std::max(worst, static_cast<double>(std::abs(found[i] - slope(points[i]))));
  return worst;
}

TEST(SlopesFromValues, KeepTheirBounds) {
  const auto of_sigmoid = [](long double x) { return 0.25L / std::pow(std::cosh(x / 2), 2.0L); };
  const auto of_tanh = [](long double x) { return 1 / std::pow(std::cosh(x), 2.0L); };
  EXPECT_LE(worst_slope<float>([](Arg x) { return sigmoid(x); }, of_sigmoid), 1.2e-7);
  EXPECT_LE(worst_slope<double>([](Arg x) { return sigmoid(x); }, of_sigmoid), 2.3e-16);
  EXPECT_LE(worst_slope<float>([](Arg x) { return tanh(x); }, of_tanh), 2.4e-7);
  EXPECT_LE(worst_slope<double>([](Arg x) { return tanh(x); }, of_tanh), 4.5e-16);
}

// How far a product with k = 4,096 is off, at most, in shares of Σ|a||b|.
double long_product(std::int64_t rows, std::int64_t columns, bool transposed, double scale, double offset,
                    bool reproducible) {
  constexpr std::int64_t k = 4096;
  Graph g;
  const Expr a = g.input("a", {rows, k});
  const Expr b = transposed ? g.input("b", {columns, k}) : g.input("b", {k, columns});
  Numbers x = some_values(rows * k, scale, 3), y = some_values(k * columns, scale, 7);
  for (double& v : x) v = static_cast<float>(v + offset);
  for (double& v : y) v = static_cast<float>(v + offset);
  const auto found =
      evaluate<float>(matmul(a, b, {.b = transposed}), {{a, x}, {b, y}}, 1, {.reproducible = reproducible});
  double worst = 0;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      double exact = 0, size = 0;
      for (std::int64_t n = 0; n < k; ++n) {
        const double p = x[static_cast<std::size_t>(i * k + n)] *
                         y[static_cast<std::size_t>(transposed ? j * k + n : n * columns + j)];
        exact += p;
        size += std::abs(p);
      }
      worst = std::max(worst, std::abs(found[static_cast<std::size_t>(i * columns + j)] - exact) / size);
    }
  return worst;
}

// In float, as gradus/ops/matmul.hpp states: of one sign, where nothing cancels, of both, and of equal terms,
// whose roundings add up. By default the machine's BLAS decides on the order of sums, and the bound of any
// order holds.
TEST(LongProducts, KeepTheirBound) {
  const auto check = [](std::int64_t rows, std::int64_t columns, bool transposed, double scale,
                        double offset) {
    SCOPED_TRACE(testing::Message() << rows << " x " << columns << ", transposed " << transposed
                                    << ", offset " << offset);
    const auto off = [&](bool reproducible) {
      return long_product(rows, columns, transposed, scale, offset, reproducible);
    };
    EXPECT_LE(off(false), 4096 * 0x1p-24);
    EXPECT_LE(off(true), scale == 0 ? 8.5e-7 : offset == 0 ? 3e-7 : 5e-7);
  };
  for (const std::int64_t rows : {1, 3, 64, 200})
    for (const std::int64_t columns : {1, 5, 64, 200})
      for (const bool transposed : {false, true}) {
        check(rows, columns, transposed, 1, 0);
        check(rows, columns, transposed, 1, 1.001);
        check(rows, columns, transposed, 0, 0.1);
      }
}

// n / √v by adaptive_step, which divides by multiplying.
template <class T> std::vector<T> quotients(const Numbers& n, const Numbers& v) {
  Graph g;
  const auto count = static_cast<std::int64_t>(n.size());
  const Expr of_n = g.input("n", {count}), of_v = g.input("v", {count}), w = g.input("w", {count}),
             rate = g.input("rate", {}), epsilon = g.input("epsilon", {});
  return evaluate<T>(adaptive_step(w, of_n, of_v, rate, epsilon),
                     {{of_n, n}, {of_v, v}, {w, Numbers(n.size())}, {rate, {-1}}, {epsilon, {0}}});
}

template <class T> void expect_quotients(int largest_exponent) {
  Random random(5);
  Numbers n, v;
  for (int i = 0; i < 100'000; ++i) {
    const int exponent = static_cast<int>(random.uniform(-largest_exponent, largest_exponent));
    v.push_back(static_cast<T>(std::ldexp(random.uniform(1, 4), exponent)));
    n.push_back(static_cast<T>(std::ldexp(random.uniform(-2, 2), exponent / 4)));
  }
  const std::vector<T> found = quotients<T>(n, v);
  for (std::size_t i = 0; i < n.size(); ++i) {
    const T expected = static_cast<T>(n[i]) / std::sqrt(static_cast<T>(v[i]));
    ASSERT_LE(std::abs(found[i] - expected), std::numeric_limits<T>::epsilon() * std::abs(expected))
        << n[i] << " over the root of " << v[i];
  }
}

TEST(AdaptiveStep, DividesAsTheProcessorDoes) {
  expect_quotients<float>(120);
  expect_quotients<double>(1000);
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
  for (const double value : quotients<float>({1, 0, -1, nan, 1, 1}, {0, 0, 0, 1, nan, infinity}))
    EXPECT_TRUE(std::isnan(value)) << value;
  EXPECT_EQ(quotients<float>({0, 2}, {4, 4}), (std::vector<float>{0, 1}));
}

TEST(FunctionFigures, AreThoseOfAllFunctions) {
  std::set<std::string> tested, known;
  for (const Function& f : functions) tested.insert(f.name);
  for (const auto& [name, entries] : figures("functions").items()) known.insert(name);
  EXPECT_EQ(tested, known);
}

}  // namespace
}  // namespace gradus::test
