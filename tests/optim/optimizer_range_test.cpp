// Optimizers on gradients of any size: whose squares overflow or vanish, or do not change for thousands of
// steps.
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/nn/initializers.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/runtime/executable.hpp"
#include "tests/support/evaluate.hpp"

namespace gradus::test {
namespace {

// Parameters that begin at 0, with gradients that stay the same.
template <class T> struct Constant {
  Constant(const Optimizer& optimizer, const Numbers& gradient)
      : extents{static_cast<std::int64_t>(gradient.size())},
        w(graph.parameter("w", Shape(extents))),
        // Fed: of constants the compiler would compute in double what depends on them alone.
        step(compile<T>({}, optimizer({w}, {graph.input("gradient", Shape(extents))}), 1, store)) {
    std::ranges::transform(gradient, step.buffer(graph.find("gradient")).begin(),
                           [](double g) { return static_cast<T>(g); });
  }
  std::vector<T> after(int steps) {
    for (int i = 0; i < steps; ++i) step.run();
    return values_of(store, "w");
  }

  Extents extents;
  Graph graph;
  Expr w;
  Store<T> store;
  Executable<T> step;
};

template <class T> void expect_clipped(const Numbers& gradient, const Numbers& expected) {
  const auto w = Constant<T>(sgd({.rate = 1}).clip_norm(1), gradient).after(1);
  for (std::size_t i = 0; i < w.size(); ++i) EXPECT_NEAR(w[i], -expected[i], 1e-6) << gradient[i];
}

// A gradient of many equal entries.
void expect_clipped_to(double limit, double size) {
  for (const std::size_t count : {1U, 2U, 1000U, 100000U}) {
    const auto w = Constant<float>(sgd({.rate = 1}).clip_norm(limit), Numbers(count, size)).after(1);
    const double norm = size * std::sqrt(count), expected = norm > limit ? limit / norm * size : size;
    if (expected < std::numeric_limits<float>::min()) continue;
    EXPECT_NEAR(-w.back() / expected, 1, 1e-5) << count << " of " << size << " to " << limit;
  }
}

TEST(ClipNorm, OfGradientsWhoseSquaresOverflowOrVanish) {
  const double root_half = std::sqrt(0.5);
  for (const double size : {3.0, 1e18, 2e19, 1e20, 1e38, 3.4e38}) {
    expect_clipped<float>({size, -size}, {root_half, -root_half});
    expect_clipped<double>({size, -size}, {root_half, -root_half});
  }
  for (const double size : {1e155, 1e300, 1.7e308})
    expect_clipped<double>({size, -size}, {root_half, -root_half});
  for (const double size : {0.0, 1e-30, 0.5}) expect_clipped<float>({size, -size}, {size, -size});
  for (const double limit : {1e-9, 1e-3, 1.0, 1e3, 1e30})
    for (const double size : {1e-30, 1e-9, 1.0, 1e10, 1e30, 1e35, 6e37, 3e38}) expect_clipped_to(limit, size);
  const auto tiny = Constant<float>(sgd({.rate = 1}).clip_norm(1e-30), {3e-25, 4e-25}).after(1);
  EXPECT_NEAR(tiny[0] / -6e-31F, 1, 1e-6);
}

// The variance of a gradient that does not change falls by `smoothing` in each step, to g²·βᵗ·(1 − βᵗ).
template <class T> void expect_centered(double gradient, double tolerance) {
  Constant<T> training(rmsprop({.rate = 1e-3, .epsilon = 0, .centered = true}), {gradient});
  double before = 0;
  for (int t = 1; t <= 2000; ++t) {
    const double after = training.after(1)[0];
    const double fall = std::pow(0.99, t),
                 expected = std::copysign(1e-3, -gradient) / std::sqrt(fall * (1 - fall));
    if (t == 1 || t % 100 == 0) {
      EXPECT_NEAR((after - before) / expected, 1, tolerance) << "step " << t << ", gradient " << gradient;
    }
    before = after;
  }
}

TEST(CenteredRmsprop, KeepsTheDigitsOfASmallVariance) {
  for (const double gradient : {0.1, -3.0, 1e5}) {
    expect_centered<double>(gradient, 1e-6);
    expect_centered<float>(gradient, 0.03);
  }
}

TEST(CenteredRmsprop, StaysFiniteForThousandsOfSteps) {
  EXPECT_TRUE(std::isfinite(Constant<float>(rmsprop({.centered = true}), {0.1}).after(5000)[0]));
  EXPECT_TRUE(std::isfinite(Constant<double>(rmsprop({.centered = true}), {0.1}).after(5000)[0]));
}

TEST(Rprop, LengthensItsStepsWhateverTheSizeOfTheGradient) {
  for (const double gradient : {1.0, 1e-20, 1e-37, 1e38}) {
    const auto w =
        Constant<float>(rprop({.initial_step = 0.25, .increase = 2}), {gradient, -gradient}).after(3);
    EXPECT_EQ(w, (std::vector<float>{-1.75F, 1.75F})) << gradient;
  }
}

// Silence would be a parameter that never moves again.
TEST(Overflow, OfASquareIsNotSilent) {
  const Optimizer optimizers[] = {adam(),
                                  adamw(),
                                  nadam(),
                                  adagrad(),
                                  rmsprop(),
                                  rmsprop({.momentum = 0.5}),
                                  rmsprop({.momentum = 0.5, .centered = true})};
  for (const Optimizer& optimizer : optimizers) {
    EXPECT_TRUE(std::isnan(Constant<float>(optimizer, {1e25}).after(2)[0])) << optimizer.name();
    EXPECT_FALSE(std::isnan(Constant<double>(optimizer, {1e25}).after(2)[0])) << optimizer.name();
    EXPECT_FALSE(std::isnan(Constant<float>(optimizer.clip_norm(1), {1e25}).after(2)[0])) << optimizer.name();
  }
}

TEST(Uniform, StaysBelowItsUpperBoundInFloat) {
  for (const auto& [low, high] :
       {std::pair(0.0, 1.0), {-1.0, 1.0}, {0.5, 0.75}, {-3.0, -1.0}, {1.0, 1.0000005}}) {
    Numbers values(5'000'000);
    uniform(low, high)({5'000'000}, 1, values);
    for (const double value : values) {
      ASSERT_GE(value, low);
      ASSERT_LT(static_cast<float>(value), static_cast<float>(high));
    }
  }
}

}  // namespace
}  // namespace gradus::test
