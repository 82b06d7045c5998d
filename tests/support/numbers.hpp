#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

/// Numbers to compute with, and comparisons that cannot lie.
namespace gradus::test {

using Numbers = std::vector<double>;

/// Distinct numbers of both signs, none of them round, for `count` elements.
inline Numbers some_values(std::int64_t count, double scale = 1, int seed = 1) {
  Numbers values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(scale * (static_cast<double>((i * 7919 + seed * 104729L) % 2003) / 1001.3 - 1.0));
  return values;
}

/// Numbers that floats add and halve exactly, so that there is one right answer for both element types.
inline Numbers dyadic(std::int64_t count, int seed) {
  Numbers values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(static_cast<double>((i * 7 + seed * 5) % 61) * 0.25 - 7);
  return values;
}

/// Passes when no difference exceeds `tolerance` times the largest magnitude expected; where only zeros are
/// expected, that means equality. What is not finite never passes, on either side.
template <class A, class E>
testing::AssertionResult close(const std::vector<A>& actual, const std::vector<E>& expected,
                               double tolerance) {
  if (actual.size() != expected.size())
    return testing::AssertionFailure() << actual.size() << " values, not " << expected.size();
  double largest = 0;
  double worst = 0;
  std::size_t where = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const auto a = static_cast<double>(actual[i]);
    const auto e = static_cast<double>(expected[i]);
    if (!std::isfinite(a) || !std::isfinite(e))
      return testing::AssertionFailure() << "not finite at " << i << ": " << a << ", expected " << e;
    largest = std::max(largest, std::abs(e));
    if (std::abs(a - e) > worst) {
      worst = std::abs(a - e);
      where = i;
    }
  }
  if (worst <= tolerance * largest) return testing::AssertionSuccess() << "as close as expected";
  return testing::AssertionFailure() << "at " << where << ": " << actual[where] << ", expected "
                                     << expected[where] << "; off by " << worst / largest
                                     << " of the largest entry, not " << tolerance;
}

/// Passes when both hold the same bits: 0 is not -0, a NaN is itself.
template <class T>
testing::AssertionResult same_bits(const std::vector<T>& actual, const std::vector<T>& expected) {
  if (actual.size() != expected.size())
    return testing::AssertionFailure() << actual.size() << " values, not " << expected.size();
  for (std::size_t i = 0; i < actual.size(); ++i)
    if (std::memcmp(&actual[i], &expected[i], sizeof(T)) != 0)
      return testing::AssertionFailure() << "at " << i << ": " << testing::PrintToString(actual[i])
                                         << ", expected " << testing::PrintToString(expected[i]);
  return testing::AssertionSuccess();
}

/// Expects each number as it is, whatever the element type.
template <class T> void expect_equal(const std::vector<T>& found, const Numbers& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_EQ(static_cast<double>(found[i]), expected[i]) << "element " << i;
}

/// Expects no number to be further off than `absolute`, or `relative` times its own size, whichever is more.
/// NaN is as far as can be.
inline void expect_near(std::span<const double> found, std::span<const double> expected, double absolute,
                        double relative = 0) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_LE(std::abs(found[i] - expected[i]), std::max(absolute, relative * std::abs(expected[i])))
        << "element " << i << ": " << found[i] << " instead of " << expected[i];
}

}  // namespace gradus::test
