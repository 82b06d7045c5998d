#include "models/app/table/spread.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace gradus {

namespace {

using Limits = std::numeric_limits<double>;

double largest_size(std::span<const double> values) {
  double largest = 0;
  for (const double x : values) largest = std::max(largest, std::abs(x));
  return largest;
}

// A power of two by which numbers of at most this size become ones about 1, so that nothing is rounded.
double unit_for(double largest) {
  constexpr int least = -1000;
  int exponent = 0;
  std::frexp(largest, &exponent);
  return std::ldexp(1.0, -std::max(exponent, least));
}

std::vector<double> times(std::span<const double> values, double unit) {
  std::vector<double> scaled(values.begin(), values.end());
  for (double& x : scaled) x *= unit;
  return scaled;
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double x : values) sum += x;
  return sum / static_cast<double>(values.size());
}

Spread plain_spread(std::span<const double> values) {
  const double unit = unit_for(largest_size(values));
  std::vector<double> scaled = times(values, unit);
  const double mean = mean_of(scaled);
  for (double& x : scaled) x -= mean;
  const double deviation = std::min(root_mean_square(scaled) / unit, Limits::max());
  const bool differ = std::ranges::any_of(values, [&](double x) { return x != values.front(); });
  return {mean / unit, differ ? std::max(deviation, Limits::denorm_min()) : deviation};
}

}  // namespace

bool Spread::is_constant() const { return deviation <= 4 * Limits::epsilon() * std::abs(mean); }

double root_mean_square(std::span<const double> values) {
  const double largest = largest_size(values);
  if (values.empty() || largest == 0) return 0;
  const double unit = unit_for(largest);
  double squares = 0;
  for (const double x : values) squares += (x * unit) * (x * unit);
  return std::sqrt(squares / static_cast<double>(values.size())) / unit;
}

Spread spread_of(std::span<const double> values) {
  if (values.empty()) return {};
  const Spread spread = plain_spread(values);
  // From zero, the mean of many equal numbers is not quite one of them.
  constexpr double lost = 1e-12;
  if (spread.deviation > lost * std::abs(spread.mean)) return spread;
  std::vector<double> shifted(values.begin(), values.end());
  for (double& x : shifted) x -= values.front();
  const Spread from_first = plain_spread(shifted);
  return {values.front() + from_first.mean, from_first.deviation};
}

}  // namespace gradus
