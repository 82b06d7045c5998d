#include "gradus/nn/normalization.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "gradus/ops.hpp"
#include "tests/support/evaluate.hpp"

// layer_norm and batch_norm over the whole range of numbers, against long double.
namespace gradus::test {
namespace {

using Extended = long double;

// A row, whole or as the column of a batch: what it is normalized to, and the cotangents c pulled through it.
struct Normalized {
  std::vector<Extended> y, slopes;
  Extended most = 0;  // of what the slopes are the differences of

  Normalized(const Numbers& x, const Numbers& c, Extended epsilon) {
    const auto n = static_cast<Extended>(x.size());
    const auto mean = [&](auto term) {
      Extended sum = 0;
      for (std::size_t i = 0; i < x.size(); ++i) sum += term(i) / n;
      return sum;
    };
    std::vector<Extended> away;  // from the first: from 0, even this type would round
    for (const double v : x) away.push_back(Extended{v} - x[0]);
    const Extended centre = mean([&](std::size_t i) { return away[i]; });
    for (Extended& v : away) v -= centre;
    const Extended root = std::sqrt(mean([&](std::size_t i) { return away[i] * away[i]; }) + epsilon);
    for (const Extended v : away) y.push_back(v / root);
    for (const double v : c) most = std::max(most, std::abs(v) / root);
    const Extended of_c = mean([&](std::size_t i) { return Extended{c[i]}; });
    const Extended along = mean([&](std::size_t i) { return c[i] * y[i]; });
    for (std::size_t i = 0; i < x.size(); ++i) slopes.push_back((c[i] - of_c - y[i] * along) / root);
  }
};

template <class T>
void expect_near(const std::vector<T>& found, const std::vector<Extended>& exact, Extended bound,
                 const std::string& what) {
  for (std::size_t i = 0; i < exact.size(); ++i)
    EXPECT_LE(std::abs(found[i] - exact[i]), bound)
        << what << ", element " << i << ": " << found[i] << " instead of " << static_cast<double>(exact[i]);
}

template <class T>
void expect_normalized(const Numbers& x, double epsilon, Extended least = 2 * std::numeric_limits<T>::min()) {
  Numbers c;
  for (std::size_t i = 0; i < x.size(); ++i) c.push_back(static_cast<double>(i * i % 7) - 2.5);
  const Normalized exact(x, c, epsilon);
  const auto n = static_cast<std::int64_t>(x.size());
  for (const bool layer : {true, false}) {
    Graph g;
    Mode mode(Mode::training);
    const Expr in = g.input("x", {n}), cotangent = g.input("c", {n});
    const Expr shaped = layer ? reshape(in, {1, n}) : reshape(in, {n, 1});
    const Expr y = reshape(layer ? layer_norm(shaped, "norm", {.epsilon = epsilon})
                                 : batch_norm(shaped, "norm", mode, {.epsilon = epsilon}),
                           {n});
    const auto found = evaluate<T>({y, grad(sum(cotangent * y), in)}, {{in, x}, {cotangent, c}});
    const std::string what = std::string(layer ? "layer_norm of " : "batch_norm of ") +
                             testing::PrintToString(x) + " with " + std::to_string(epsilon);
    constexpr Extended share = 12 * std::numeric_limits<T>::epsilon();
    const auto [low, high] = std::minmax_element(exact.y.begin(), exact.y.end());
    expect_near(found[0], exact.y, share * std::max(*high, -*low) + least, what);
    expect_near(found[1], exact.slopes, share * exact.most + 2 * std::numeric_limits<T>::min(),
                "the gradient of " + what);
  }
}

template <class T> class Normalizations : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Normalizations, Types);

TYPED_TEST(Normalizations, KeepTheirDigitsAtAnySize) {
  using Limits = std::numeric_limits<TypeParam>;
  const TypeParam least = 64 * Limits::min(), most = Limits::max() / 8;
  for (const TypeParam size : {least, std::sqrt(least), TypeParam(1e-25), TypeParam(1e-3), TypeParam(1),
                               TypeParam(3e9), TypeParam(1.9e19), std::sqrt(most), most})
    for (const double epsilon : {0.0, 1e-3, 1e-5}) {
      const auto row = [&](std::initializer_list<double> units) {
        Numbers x;
        for (const double unit : units) x.push_back(static_cast<TypeParam>(unit * double{size}));
        return x;
      };
      expect_normalized<TypeParam>(row({1, 2, 4}), epsilon);
      expect_normalized<TypeParam>(row({1, -1}), epsilon);
      expect_normalized<TypeParam>(row({8, -8, -8, -8, 3}), epsilon);
      expect_normalized<TypeParam>(row({8, 4}), epsilon);
      expect_normalized<TypeParam>(row({8, 8, 8, 8, 8, 8, 8, 8, 8, 0}), epsilon);
    }
}

// The mean of numbers that differ little is none of them, and must not be rounded to one.
TYPED_TEST(Normalizations, KeepTheirDigitsBesideALargeMean) {
  using Limits = std::numeric_limits<TypeParam>;
  for (const double sign : {1.0, -1.0})
    for (int bits = 0; bits < Limits::digits; ++bits) {
      const double size = sign * std::ldexp(1.0, bits);
      Numbers x;
      for (const int units : {0, 1, 2, 3, 5}) x.push_back(size + sign * units);
      expect_normalized<TypeParam>(x, 0);
      expect_normalized<TypeParam>(x, 1e-3);
      for (double& v : x)
        v = static_cast<TypeParam>(std::ldexp(v, Limits::max_exponent - Limits::digits - 4));
      expect_normalized<TypeParam>(x, 1e-3);
    }
}

TYPED_TEST(Normalizations, OfEqualNumbersAreZero) {
  for (const double size : {0.0, 1e-30, 0.1, 1e7, 1.7e19, 3e38}) {
    const Numbers x(5, static_cast<TypeParam>(size));
    // Below √ε a rounding error of x is as small as x.
    expect_normalized<TypeParam>(x, 1e-3,
                                 size < 0.01 ? 32 * std::numeric_limits<TypeParam>::epsilon() * size : 0);
  }
}

// What goes into the running statistics is what the batch has.
TYPED_TEST(Normalizations, KeepTheDigitsOfRunningStatistics) {
  for (const double centre : {0.0, 1e4, -1e7, 1.5e18}) {
    Graph g;
    Mode mode(Mode::training);
    const Expr x = g.input("x", {B, 1});
    const Expr y = batch_norm(x, "norm", mode, {.momentum = 0});
    Store<TypeParam> store;
    auto program = compile<TypeParam>({y}, mode.updates(), 4, store);
    std::vector<TypeParam> rows;
    Extended mean = 0, variance = 0;
    for (const double part : {0.0, 1.0, 2.0, 3.0})
      mean += rows.emplace_back(
                  static_cast<TypeParam>(centre + part * (centre == 0 ? 1 : std::abs(centre) / 1e7))) /
              4.0L;
    for (const TypeParam v : rows) variance += (v - mean) * (v - mean) / 4;
    program.feed("x", rows);
    program.run();
    const auto near = [](TypeParam found, Extended exact) {
      return std::abs(found - exact) <= 4 * std::numeric_limits<TypeParam>::epsilon() * std::abs(exact);
    };
    EXPECT_TRUE(near(store.values("norm/mean")[0], mean)) << centre;
    EXPECT_TRUE(near(store.values("norm/variance")[0], variance)) << centre;
  }
}

}  // namespace
}  // namespace gradus::test
