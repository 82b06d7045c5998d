#include "gradus/nn/initializers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "gradus/base/error.hpp"
#include "gradus/base/random.hpp"

namespace gradus {
namespace {

struct Fans {
  double in = 1;
  double out = 1;
};

// In doubles: products of huge extents then need no overflow check.
Fans fans_of(const Extents& extents) {
  const std::size_t rank = extents.size();
  if (rank == 0) return {};
  if (rank == 1) return {static_cast<double>(extents[0]), static_cast<double>(extents[0])};
  double window = 1;
  for (std::size_t axis = 0; axis + 2 < rank; ++axis) window *= static_cast<double>(extents[axis]);
  return {window * static_cast<double>(extents[rank - 2]), window * static_cast<double>(extents[rank - 1])};
}

void require_size(std::string_view name, const Extents& extents, std::size_t size) {
  if (std::ranges::any_of(extents, [](std::int64_t extent) { return extent < 0; }))
    throw Error(fmt::format("initializer {}: extents {} are no shape: expected none below 0", name,
                            to_string(extents)));
  if (static_cast<std::size_t>(element_count(extents)) != size)
    throw Error(fmt::format("initializer {}: extents {} have {} elements, but there is room for {}", name,
                            to_string(extents), element_count(extents), size));
}

// The standard deviation of a standard normal truncated to [-2, 2].
constexpr double kTruncatedStddev = 0.87962566103423978;

double truncated_normal(Random& random) {
  for (;;) {
    const double x = random.normal();
    if (std::abs(x) <= 2) return x;
  }
}

enum class Fan { in, average };

double variance(double scale, Fan fan, const Extents& extents) {
  const Fans fans = fans_of(extents);
  return scale / std::max(1.0, fan == Fan::in ? fans.in : (fans.in + fans.out) / 2);
}

// A uniform number that is below `high` as a float, too, to which the last doubles below it are rounded.
double uniform_below(Random& random, double low, double high) {
  const double x = random.uniform(low, high);
  const auto bound = static_cast<float>(high);
  if (!std::isfinite(bound) || static_cast<float>(x) < bound || static_cast<float>(low) >= bound) return x;
  const double below = std::nextafter(bound, static_cast<float>(low));
  return std::nextafter((below + static_cast<double>(bound)) / 2, low);
}

// Keras's VarianceScaling with distribution="uniform": a uniform on [-a, a) has the variance a²/3.
Initializer scaled_uniform(std::string_view name, double scale, Fan fan) {
  return [=](const Extents& extents, std::uint64_t seed, std::span<double> values) {
    require_size(name, extents, values.size());
    const double limit = std::sqrt(3 * variance(scale, fan, extents));
    Random random(seed);
    for (double& value : values) value = uniform_below(random, -limit, limit);
  };
}

// Keras's VarianceScaling with distribution="truncated_normal".
Initializer scaled_normal(std::string_view name, double scale, Fan fan) {
  return [=](const Extents& extents, std::uint64_t seed, std::span<double> values) {
    require_size(name, extents, values.size());
    const double stddev = std::sqrt(variance(scale, fan, extents)) / kTruncatedStddev;
    Random random(seed);
    for (double& value : values) value = stddev * truncated_normal(random);
  };
}

}  // namespace

Initializer zeros() {
  return [](const Extents& extents, std::uint64_t, std::span<double> values) {
    require_size("zeros()", extents, values.size());
    std::ranges::fill(values, 0.0);
  };
}

Initializer constant(double value, Location where) {
  if (std::isnan(value))
    throw Error(fmt::format("constant at {}: the value {} is no number", to_string(where), value));
  return [value](const Extents& extents, std::uint64_t, std::span<double> values) {
    require_size("constant()", extents, values.size());
    std::ranges::fill(values, value);
  };
}

Initializer values(std::vector<double> elements) {
  return [elements = std::move(elements)](const Extents& extents, std::uint64_t, std::span<double> values) {
    require_size("values()", extents, values.size());
    if (elements.size() != values.size())
      throw Error(fmt::format(
          "initializer values(): {} values are given, but the parameter of extents {} has {} elements",
          elements.size(), to_string(extents), values.size()));
    std::ranges::copy(elements, values.begin());
  };
}

Initializer normal(double mean, double stddev, Location where) {
  if (!std::isfinite(mean) || !std::isfinite(stddev) || stddev < 0)
    throw Error(fmt::format("normal at {}: mean {}, stddev {}: both must be finite, and stddev at least 0",
                            to_string(where), mean, stddev));
  return [=](const Extents& extents, std::uint64_t seed, std::span<double> values) {
    require_size("normal()", extents, values.size());
    Random random(seed);
    for (double& value : values) value = std::fma(stddev, random.normal(), mean);
  };
}

Initializer uniform(double lo, double hi, Location where) {
  if (!std::isfinite(lo) || !std::isfinite(hi) || !std::isfinite(hi - lo) || lo > hi)
    throw Error(fmt::format("uniform at {}: lo {}, hi {}: both must be finite, and lo at most hi",
                            to_string(where), lo, hi));
  return [=](const Extents& extents, std::uint64_t seed, std::span<double> values) {
    require_size("uniform()", extents, values.size());
    Random random(seed);
    for (double& value : values) value = uniform_below(random, lo, hi);
  };
}

Initializer glorot_uniform() { return scaled_uniform("glorot_uniform()", 1, Fan::average); }
Initializer glorot_normal() { return scaled_normal("glorot_normal()", 1, Fan::average); }
Initializer he_uniform() { return scaled_uniform("he_uniform()", 2, Fan::in); }
Initializer he_normal() { return scaled_normal("he_normal()", 2, Fan::in); }
Initializer lecun_uniform() { return scaled_uniform("lecun_uniform()", 1, Fan::in); }
Initializer lecun_normal() { return scaled_normal("lecun_normal()", 1, Fan::in); }

}  // namespace gradus
