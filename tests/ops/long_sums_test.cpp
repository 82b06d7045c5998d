#include <gtest/gtest.h>

#include "gradus/nn/normalization.hpp"
#include "gradus/ops.hpp"
#include "tests/support/evaluate.hpp"

// Sums over long axes keep their digits, along whichever axes they run.
namespace gradus::test {
namespace {

template <class T> T relative_error(const std::vector<T>& found, double expected) {
  double worst = 0;
  for (const T value : found) worst = std::max(worst, std::abs(static_cast<double>(value) / expected - 1));
  return static_cast<T>(worst);
}

template <class T> void expect_mean(const Extents& extents, const Axes& axes, double bound) {
  Graph g;
  const Expr x = g.input("x", Shape(extents));
  const Numbers tenths(static_cast<std::size_t>(element_count(extents)), 0.1);
  EXPECT_LE(relative_error(evaluate<T>(mean(x, axes), {{x, tenths}}), 0.1), bound)
      << to_string(extents) << " over " << axes.size() << " axes from " << axes.front();
}

struct Long {
  Extents extents;
  Axes axes;
};

TEST(LongSums, KeepTheirDigitsAlongAnyAxes) {
  const Long cases[] = {{{1'000}, {0}},
                        {{10'000}, {0}},
                        {{100'000}, {0}},
                        {{1'000'000}, {0}},
                        {{10'000'000}, {0}},
                        {{1'000'000, 1}, {0}},
                        {{1'000'000, 3}, {0}},
                        {{3, 1'000'000}, {1}},
                        {{2, 300'000, 3}, {1}},
                        {{300'000, 2, 3}, {0}},
                        {{1'000, 2, 1'000}, {0, 2}},
                        {{300'000, 2, 3}, {0, 2}},
                        {{2, 1'000, 3, 500}, {1, 3}},
                        {{1'000, 1'000}, {0, 1}},
                        {{129, 7}, {0}},
                        {{127, 7}, {0}}};
  for (const auto& [extents, axes] : cases) {
    expect_mean<float>(extents, axes, 5e-7);
    expect_mean<double>(extents, axes, 1e-15);
  }
}

// Every element is added once, whatever the shape of the tree.
TEST(LongSums, AddEachElementOnce) {
  for (const std::int64_t n : {1, 7, 8, 9, 127, 128, 129, 255, 256, 257, 383, 384, 385, 1000, 4096, 5000})
    for (const std::int64_t columns : {1, 2, 5}) {
      Graph g;
      const Expr x = g.input("x", {n, columns});
      Numbers values(static_cast<std::size_t>(n * columns));
      std::vector<double> expected(static_cast<std::size_t>(columns));
      for (std::size_t i = 0; i < values.size(); ++i)
        expected[i % expected.size()] += values[i] = static_cast<double>(i * i % 97);
      EXPECT_EQ(evaluate<double>(sum(x, {0}), {{x, values}}), expected) << n << " by " << columns;
    }
}

TEST(LongSums, OfExponentials) {
  Graph g;
  const Expr x = g.input("x", {1'000'000});
  const auto found =
      evaluate<float>({logsumexp(x), log_softmax(x), softmax(x)}, {{x, Numbers(1'000'000, 0.25)}});
  EXPECT_NEAR(found[0][0], std::log(1e6) + 0.25, 2e-6);
  EXPECT_LE(relative_error(found[1], -std::log(1e6)), 3e-7);
  EXPECT_LE(relative_error(found[2], 1e-6), 1e-6);
}

TEST(LongSums, RunOnByARecurrence) {
  const auto expect_sums = [](const Extents& extents, std::int64_t axis, bool backwards) {
    Graph g;
    const Expr x = g.input("x", Shape(extents));
    const std::int64_t n = extents[static_cast<std::size_t>(axis)], at = backwards ? 0 : n - 1;
    const Expr y = linear_recurrence(g.full(x.shape(), 1.0), x, axis, {.from_the_end = backwards});
    const Numbers tenths(static_cast<std::size_t>(element_count(extents)), 0.1);
    for (const float found : evaluate<float>(slice(y, axis, at, at + 1), {{x, tenths}}))
      EXPECT_FLOAT_EQ(found, static_cast<float>(double{0.1F} * static_cast<double>(n - 1)))
          << to_string(extents) << " along " << axis;
  };
  expect_sums({10'000'000}, 0, false);
  expect_sums({1'000'000}, 0, true);
  expect_sums({1'000'000, 3}, 0, false);
  expect_sums({2, 1'000'000}, 1, true);
}

TEST(LongSums, NormaliseAMillionRows) {
  Graph g;
  Mode mode(Mode::training);
  const Expr x = g.input("x", {B, 2});
  const Expr y = batch_norm(x, "norm", mode, {});
  Numbers values;
  for (int i = 0; i < 2'000'000; ++i) values.push_back(1e4 + some_values(1, 1, i)[0]);
  const auto found = evaluate<float>(mean(y, {0}), {{x, values}}, 1'000'000);
  EXPECT_NEAR(found[0], 0, 0.01);
  EXPECT_NEAR(found[1], 0, 0.01);
}

}  // namespace
}  // namespace gradus::test
