// How many samples a fraction keeps for validation, for any fraction; classes of equal scores.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "gradus/gradus.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/evaluate.hpp"

namespace gradus {
namespace {

// ⌊n · (1 − p/q)⌋ in whole numbers.
std::int64_t exact(std::int64_t n, std::int64_t p, std::int64_t q) { return n * (q - p) / q; }

TEST(ValidationSplit, KeepsWhatTheFractionSays) {
  for (const auto& [split, count, training] : std::vector<std::tuple<double, std::int64_t, std::int64_t>>{
           {0.9, 10, 1}, {0.8, 5, 1}, {0.8, 10, 2}, {0.9, 100, 10}, {0.9, 1000, 100}, {0, 7, 7}}) {
    EXPECT_EQ(training_count(count, split), training) << split << " of " << count;
    if (split == 0) continue;
    const auto size = static_cast<std::size_t>(count);
    Trainer<float> trainer(
        {.inputs = {{"x", {B, 1}}},
         .target = {"t", {B, 1}},
         .network = [](const std::vector<Expr>& in, Mode&) { return linear(in[0], 1, "y"); },
         .loss = mse});
    const History history = trainer.fit({count, {std::vector<double>(size), std::vector<double>(size)}},
                                        {.validation_split = split, .verbose = false});
    EXPECT_EQ(history.samples, training);
    EXPECT_EQ(history.validation, count - training);
  }
}

// Every fraction with a denominator up to 200, all of three decimals, written as a quotient, as one minus the
// rest, and in single precision, which is rounded at another place.
TEST(ValidationSplit, IsExactForAllFractions) {
  const auto check = [](std::int64_t p, std::int64_t q) {
    const double split = static_cast<double>(p) / static_cast<double>(q);
    const double rest = 1 - static_cast<double>(q - p) / static_cast<double>(q);
    for (const std::int64_t n : {q, 2 * q, 10 * q, 1000 * q, q + 1, 3 * q - 1, 7 * q + 3, 60000L, 999983L}) {
      ASSERT_EQ(training_count(n, split), exact(n, p, q)) << p << "/" << q << " of " << n;
      ASSERT_EQ(training_count(n, rest), exact(n, p, q)) << "1 - " << q - p << "/" << q << " of " << n;
    }
  };
  for (std::int64_t q = 1; q <= 200; ++q)
    for (std::int64_t p = 0; p < q; ++p) check(p, q);
  for (std::int64_t p = 0; p < 1000; ++p) check(p, 1000);
}

TEST(ValidationSplit, HasNoMoreThanTheFraction) {
  for (const std::int64_t n : {1L, 2L, 3L, 10L, 4294967295L})
    for (const double split : {1e-300, 1e-12, 0.1, 0.5, 0.999999999, 1 - 1e-16}) {
      const std::int64_t training = training_count(n, split);
      EXPECT_GE(training, 0);
      EXPECT_LE(training, n);
    }
}

TEST(StratifiedSplit, GivesEachClassItsShare) {
  std::vector<double> labels;
  for (const auto& [label, count] :
       {std::pair(0.0, 100), std::pair(1.0, 10), std::pair(7.5, 2), std::pair(-1.0, 1)})
    labels.insert(labels.end(), static_cast<std::size_t>(count), label);
  const auto counts = [&](const Rows& rows) {
    std::map<double, int> found;
    for (const std::uint32_t row : rows) ++found[labels[row]];
    return found;
  };
  const SplitRows split = stratified_split(labels, 0.3, 1), again = stratified_split(labels, 0.3, 1);
  EXPECT_EQ(counts(split.training), (std::map<double, int>{{0, 70}, {1, 7}, {7.5, 1}, {-1, 1}}));
  EXPECT_EQ(counts(split.validation), (std::map<double, int>{{0, 30}, {1, 3}, {7.5, 1}}));
  EXPECT_EQ(split.training, again.training);
  EXPECT_NE(split.training, stratified_split(labels, 0.3, 2).training);
  Rows all = split.training;
  all.insert(all.end(), split.validation.begin(), split.validation.end());
  std::ranges::sort(all);
  for (std::uint32_t i = 0; i < labels.size(); ++i) EXPECT_EQ(all[i], i);

  const Dataset<double> data(113, {labels});
  const Dataset<double> part = data.select(split.validation);
  std::vector<double> values(2);
  const std::vector<std::span<double>> into{values};
  part.fill(Rows{3, 0}, into);
  EXPECT_EQ(values, (std::vector{labels[split.validation[3]], labels[split.validation[0]]}));
  EXPECT_NE(part.fingerprint(), data.fingerprint());
  EXPECT_THAT(test::error_of([&] { data.select({113}); }), testing::HasSubstr("there is no row 113"));
  EXPECT_THAT(test::error_of([&] { stratified_split(labels, 1); }), testing::HasSubstr("the split is 1"));
  EXPECT_THAT(test::error_of([&] {
                stratified_split(std::vector<double>{1, 2}, 0.4);
              }),
              testing::HasSubstr("leaves no row"));
}

double measured(const Metric& metric, const std::vector<double>& scores, const std::vector<double>& target,
                bool indices) {
  Graph g;
  const auto rows = static_cast<std::int64_t>(scores.size() / 3);
  const Expr y = g.input("y", {B, 3}), t = g.input("t", indices ? Shape{B} : Shape{B, 3});
  Store<double> store;
  auto program = compile<double>({metric.of(y, t)}, {}, rows, store);
  program.feed(y, scores);
  program.feed(t, target);
  program.run();
  return program.output().item();
}

TEST(EqualScores, AreWrong) {
  const std::vector<std::vector<double>> rows{{0, 0, 0}, {1, 1, 0}, {0, 1, 1},
                                              {1, 0, 1}, {0, 1, 2}, {-1, -1, -2}};
  for (const auto& row : rows)
    for (std::size_t label = 0; label < 3; ++label) {
      std::vector<double> one_hot(3, 0);
      one_hot[label] = 1;
      const auto at_least = std::ranges::count_if(row, [&](double score) { return score >= row[label]; });
      for (int k = 1; k <= 3; ++k) {
        const bool right = at_least <= k;
        const auto index = static_cast<double>(label);
        EXPECT_EQ(measured(top_k_accuracy(k), row, one_hot, false), right ? 1 : 0);
        EXPECT_EQ(measured(top_k_accuracy(k), row, {index}, true), right ? 1 : 0);
        if (k > 1) continue;
        EXPECT_EQ(measured(accuracy(), row, one_hot, false), right ? 1 : 0);
        EXPECT_EQ(measured(accuracy(), row, {index}, true), right ? 1 : 0);
      }
    }
  EXPECT_EQ(measured(accuracy(), {NAN, 0, 0, 0, NAN, 0, 0, 0, NAN}, {0, 1, 2}, true), 0);
  // A model that says nothing is never right.
  EXPECT_EQ(measured(accuracy(), std::vector<double>(12, 0.5), {0, 1, 2, 2}, true), 0);
}

}  // namespace
}  // namespace gradus
