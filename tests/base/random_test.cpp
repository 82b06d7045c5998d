#include "gradus/base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "gradus/nn/initializers.hpp"
#include "tests/support/errors.hpp"

namespace gradus {
namespace {

using test::error_of;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Moments {
  double mean = 0;
  double variance = 0;
  double skewness = 0;
  double kurtosis = 0;
};

Moments moments_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  Moments m;
  m.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  for (const double x : values) {
    const double d = x - m.mean;
    m.variance += d * d / n;
    m.skewness += d * d * d / n;
    m.kurtosis += d * d * d * d / n;
  }
  m.skewness /= std::pow(m.variance, 1.5);
  m.kurtosis /= m.variance * m.variance;
  return m;
}

template <class F> std::vector<double> draw(std::size_t n, F&& f) {
  std::vector<double> values(n);
  std::ranges::generate(values, f);
  return values;
}

// Known answers of philox4x32-10 from kat_vectors of Random123.
TEST(Philox, KnownAnswers) {
  using Block = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, WordsAreThePhiloxBlocksInOrder) {
  constexpr std::uint64_t seed = 0x299f31d0a4093822;
  constexpr std::uint64_t stream = 0x0370734413198a2e;
  Random random(seed, stream);
  for (std::uint32_t block = 0; block < 3; ++block)
    for (const std::uint32_t word : philox4x32({block, 0, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}))
      EXPECT_EQ(random.bits(), word);
  EXPECT_EQ(random.seed(), seed);
  EXPECT_EQ(random.stream(), stream);

  Random zero(0);
  EXPECT_EQ(zero.bits64(), 0xe169c58d6627e8d5);
}

// Pins every derived draw: a change here changes all trained models.
TEST(Random, DrawsArePinned) {
  Random random(42, stream_of("dense/weights"));
  EXPECT_EQ(random.bits64(), 0xf00e11c4501d9873);
  EXPECT_EQ(random.uniform(), 0.48551304850744204);
  EXPECT_EQ(random.uniform(-0.1, 0.3), 0.2660761409475266);
  EXPECT_EQ(random.below(1000), 638U);
  EXPECT_NEAR(random.normal(), -0.27839632349936594, 1e-14);
  EXPECT_EQ(random.counter(), 12U);
}

TEST(Random, SeedsAndStreamsDiffer) {
  std::set<std::uint64_t> first;
  for (const std::uint64_t seed : {0, 1, 2})
    for (const std::uint64_t stream : {0, 1, 2}) first.insert(Random(seed, stream).bits64());
  EXPECT_EQ(first.size(), 9U);
  // The halves of seed and stream are all used.
  EXPECT_NE(Random(std::uint64_t{1} << 32).bits64(), Random(0).bits64());
  EXPECT_NE(Random(0, std::uint64_t{1} << 32).bits64(), Random(0, 0).bits64());
}

TEST(Random, StateIsRestored) {
  for (std::uint64_t skip = 0; skip < 9; ++skip) {
    Random random(7, 3);
    for (std::uint64_t i = 0; i < skip; ++i) random.bits();
    const std::uint64_t saved = random.counter();
    EXPECT_EQ(saved, skip);
    const auto rest = draw(20, [&] { return random.normal(); });
    Random restored(7, 3);
    restored.set_counter(saved);
    EXPECT_EQ(draw(20, [&] { return restored.normal(); }), rest);
    random.set_counter(saved);
    EXPECT_EQ(draw(20, [&] { return random.normal(); }), rest);
  }
}

TEST(Random, CounterGoesPastEveryBoundary) {
  constexpr std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  Random random(7);
  random.set_counter((std::uint64_t{1} << 34) - 1);  // the block number needs its upper half
  const std::uint32_t before = random.bits();
  const std::uint32_t after = random.bits();
  EXPECT_EQ(before, philox4x32({0xffffffff, 0, 0, 0}, {7, 0})[3]);
  EXPECT_EQ(after, philox4x32({0, 1, 0, 0}, {7, 0})[0]);
  random.set_counter(last);
  random.bits();
  EXPECT_EQ(random.counter(), 0U);
  EXPECT_EQ(random.bits(), Random(7).bits());
}

TEST(Random, UniformMoments) {
  Random random(1);
  const auto values = draw(200000, [&] { return random.uniform(); });
  EXPECT_GE(std::ranges::min(values), 0.0);
  EXPECT_LT(std::ranges::max(values), 1.0);
  const Moments m = moments_of(values);
  EXPECT_NEAR(m.mean, 0.5, 0.003);  // 4.6 standard errors; the others alike
  EXPECT_NEAR(m.variance, 1.0 / 12, 0.001);
  EXPECT_NEAR(m.skewness, 0, 0.02);
  EXPECT_NEAR(m.kurtosis, 1.8, 0.02);
}

TEST(Random, NormalMoments) {
  Random random(2);
  const auto values = draw(200000, [&] { return random.normal(); });
  const Moments m = moments_of(values);
  EXPECT_NEAR(m.mean, 0, 0.01);
  EXPECT_NEAR(m.variance, 1, 0.015);
  EXPECT_NEAR(m.skewness, 0, 0.025);
  EXPECT_NEAR(m.kurtosis, 3, 0.05);
  for (const double bound : {0.5, 1.0, 2.0, 3.0}) {
    const auto inside = std::ranges::count_if(values, [=](double x) { return std::abs(x) < bound; });
    EXPECT_NEAR(static_cast<double>(inside) / 200000, std::erf(bound / std::sqrt(2.0)), 0.005) << bound;
  }
}

TEST(Random, UniformStaysBelowItsUpperBound) {
  Random random(3);
  const double lo = 1;
  const double hi = std::nextafter(1.0, 2.0);  // unguarded, half of the draws round to hi
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.uniform(lo, hi), lo);
  EXPECT_EQ(random.uniform(2.5, 2.5), 2.5);
  for (int i = 0; i < 1000; ++i) {
    const double x = random.uniform(-3, -1);
    EXPECT_TRUE(x >= -3 && x < -1) << x;
  }
}

TEST(Random, UniformRefusesBadBounds) {
  Random random(3);
  EXPECT_NE(error_of([&] { random.uniform(1, 0); }).find("uniform(1, 0)"), std::string::npos);
  EXPECT_THROW(random.uniform(kNan, 0), Error);
  EXPECT_THROW(random.uniform(0, kNan), Error);
  EXPECT_THROW(random.uniform(0, kInfinity), Error);
  EXPECT_THROW(random.uniform(-1e308, 1e308), Error);
}

TEST(Random, BelowIsUniform) {
  Random random(4);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) ++counts.at(random.below(7));
  double chi_squared = 0;
  for (const int count : counts) chi_squared += (count - 10000.0) * (count - 10000.0) / 10000.0;
  EXPECT_LT(chi_squared, 22.5);  // 6 degrees of freedom, p = 0.001
  EXPECT_EQ(random.below(1), 0U);
  EXPECT_NE(error_of([&] { random.below(0); }).find("below(0)"), std::string::npos);
}

// For n = 3/4 of 2^64 a remainder would make the lower third twice as likely.
TEST(Random, BelowIsUnbiasedForHugeBounds) {
  Random random(5);
  constexpr std::uint64_t third = std::uint64_t{1} << 62;
  std::array<int, 3> counts{};
  for (int i = 0; i < 30000; ++i) ++counts.at(random.below(3 * third) / third);
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);
}

TEST(Random, ShuffleIsAPermutation) {
  std::vector<int> order(1000);
  std::iota(order.begin(), order.end(), 0);
  Random random(6);
  random.shuffle(std::span<int>(order));
  EXPECT_FALSE(std::ranges::is_sorted(order));
  std::vector<int> again(1000);
  std::iota(again.begin(), again.end(), 0);
  Random(6).shuffle(again);
  EXPECT_EQ(order, again);
  std::ranges::sort(order);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);

  std::vector<int> empty;
  random.shuffle(empty);
  std::array<int, 1> one = {5};
  random.shuffle(one);
  EXPECT_EQ(one[0], 5);
}

TEST(Random, ShuffleGivesEachOrderAlike) {
  Random random(8);
  std::map<std::array<int, 4>, int> counts;
  for (int i = 0; i < 24000; ++i) {
    std::array<int, 4> order = {0, 1, 2, 3};
    random.shuffle(order);
    ++counts[order];
  }
  EXPECT_EQ(counts.size(), 24U);
  double chi_squared = 0;
  for (const auto& [order, count] : counts) chi_squared += (count - 1000.0) * (count - 1000.0) / 1000.0;
  EXPECT_LT(chi_squared, 49.7);  // 23 degrees of freedom, p = 0.001
}

// Known answers of 64-bit FNV-1a from the authors' test suite.
TEST(StreamOf, KnownAnswers) {
  EXPECT_EQ(stream_of(""), 0xcbf29ce484222325);
  EXPECT_EQ(stream_of("a"), 0xaf63dc4c8601ec8c);
  EXPECT_EQ(stream_of("foobar"), 0x85944171f73967e8);
  EXPECT_NE(seed_of(1, "weights"), seed_of(1, "bias"));
  EXPECT_NE(seed_of(1, "weights"), seed_of(2, "weights"));
  EXPECT_EQ(seed_of(1, "weights"), Random(1, stream_of("weights")).bits64());
}

std::vector<double> filled(const Initializer& initializer, const Extents& extents, std::uint64_t seed = 1) {
  std::vector<double> values(static_cast<std::size_t>(element_count(extents)), -77);
  initializer(extents, seed, values);
  return values;
}

TEST(Initializers, FixedValues) {
  EXPECT_EQ(filled(zeros(), {2, 2}), (std::vector<double>{0, 0, 0, 0}));
  EXPECT_EQ(filled(constant(2.5), {}), (std::vector<double>{2.5}));
  EXPECT_EQ(filled(values({1, 2, 3}), {3, 1}), (std::vector<double>{1, 2, 3}));
}

TEST(Initializers, SameSeedSameValues) {
  for (const Initializer& initializer : {normal(), uniform(0, 1), glorot_uniform(), he_normal()}) {
    EXPECT_EQ(filled(initializer, {4, 5}, 9), filled(initializer, {4, 5}, 9));
    EXPECT_NE(filled(initializer, {4, 5}, 9), filled(initializer, {4, 5}, 10));
  }
}

TEST(Initializers, NormalAndUniformHaveTheirMoments) {
  const Moments n = moments_of(filled(normal(3, 0.5), {100000}));
  EXPECT_NEAR(n.mean, 3, 0.008);
  EXPECT_NEAR(n.variance, 0.25, 0.006);
  EXPECT_NEAR(n.kurtosis, 3, 0.08);
  const auto values = filled(uniform(-1, 3), {100000});
  EXPECT_GE(std::ranges::min(values), -1);
  EXPECT_LT(std::ranges::max(values), 3);
  EXPECT_NEAR(moments_of(values).mean, 1, 0.02);
  EXPECT_NEAR(moments_of(values).variance, 16.0 / 12, 0.02);
  EXPECT_EQ(filled(normal(3, 0), {2}), (std::vector<double>{3, 3}));
}

struct Scaled {
  std::string name;
  Initializer initializer;
  Extents extents;
  double variance;
  bool truncated;
};

TEST(Initializers, ScaledOnesHaveKerasVariances) {
  const Extents dense = {300, 200};
  const std::vector<Scaled> cases = {
      {"glorot_uniform", glorot_uniform(), dense, 2.0 / 500, false},
      {"glorot_normal", glorot_normal(), dense, 2.0 / 500, true},
      {"he_uniform", he_uniform(), dense, 2.0 / 300, false},
      {"he_normal", he_normal(), dense, 2.0 / 300, true},
      {"lecun_uniform", lecun_uniform(), dense, 1.0 / 300, false},
      {"lecun_normal", lecun_normal(), dense, 1.0 / 300, true},
      {"rank 1", glorot_uniform(), {60000}, 1.0 / 60000, false},
      {"rank 3", he_uniform(), {5, 30, 400}, 2.0 / 150, false},
      {"rank 3 average", glorot_normal(), {5, 30, 400}, 2.0 / 2150, true},
      {"rank 4", lecun_normal(), {3, 5, 30, 200}, 1.0 / 450, true},
  };
  for (const Scaled& c : cases) {
    SCOPED_TRACE(c.name);
    const auto values = filled(c.initializer, c.extents);
    const Moments m = moments_of(values);
    const double stddev = std::sqrt(c.variance);
    EXPECT_NEAR(m.mean / stddev, 0, 0.02);
    EXPECT_NEAR(m.variance / c.variance, 1, 0.025);
    const double limit = c.truncated ? 2 * stddev / 0.87962566103423978 : std::sqrt(3.0) * stddev;
    const double reach = std::max(std::ranges::max(values), -std::ranges::min(values));
    EXPECT_LE(reach, limit);
    EXPECT_GT(reach, 0.99 * limit);
    EXPECT_NEAR(m.kurtosis, c.truncated ? 2.3655 : 1.8, 0.03);
  }
}

TEST(Initializers, SmallFans) {
  // rank 0: both fans 1, so the limit is sqrt(3); a fan of 0 counts as 1, and nothing is written.
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    EXPECT_LE(std::abs(filled(glorot_uniform(), {}, seed)[0]), std::sqrt(3.0));
  EXPECT_TRUE(filled(he_normal(), {0, 4}).empty());
}

TEST(Initializers, RefuseBadArguments) {
  EXPECT_NE(error_of([] { normal(0, -1); }).find(": mean 0, stddev -1: both must be finite"),
            std::string::npos);
  EXPECT_NE(error_of([] { uniform(2, 1); }).find(": lo 2, hi 1"), std::string::npos);
  EXPECT_THROW(normal(kNan, 1), Error);
  EXPECT_THROW(normal(0, kNan), Error);
  EXPECT_THROW(normal(0, kInfinity), Error);
  EXPECT_THROW(uniform(kNan, 1), Error);
  EXPECT_THROW(uniform(0, kNan), Error);
  EXPECT_THROW(uniform(-kInfinity, 0), Error);
  EXPECT_THROW(uniform(-1e308, 1e308), Error);
  EXPECT_THROW(constant(kNan), Error);
}

TEST(Initializers, RefuseSizesThatDiffer) {
  const std::string message = error_of([] { filled(values({1, 2, 3}), {2, 2}); });
  EXPECT_NE(message.find("3 values are given"), std::string::npos) << message;
  EXPECT_NE(message.find("[2, 2] has 4 elements"), std::string::npos) << message;
  std::vector<double> room(3);
  for (const Initializer& initializer :
       {zeros(), constant(1), values({1, 2, 3}), normal(), uniform(0, 1), he_uniform(), he_normal()}) {
    const std::string what = error_of([&] { initializer({2, 2}, 1, room); });
    EXPECT_NE(what.find("[2, 2] have 4 elements, but there is room for 3"), std::string::npos) << what;
    EXPECT_THROW(initializer({-3, -1}, 1, room), Error);
  }
}

}  // namespace
}  // namespace gradus
