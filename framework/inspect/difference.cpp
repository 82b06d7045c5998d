#include "gradus/framework/inspect/difference.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace gradus {

namespace {

constexpr int levels = 12;
constexpr int points = levels + 1;  // 2h, h, h/2, … on either side
constexpr double epsilon = std::numeric_limits<double>::epsilon();

// One output's values at 0 and at ± the steps, largest first: step k is largest · 2^−k.
struct Line {
  double middle;
  std::array<double, points> left;
  std::array<double, points> right;

  double central(int level, double step) const {
    const auto k = static_cast<std::size_t>(level);
    // The outer points are those of the step before.
    return (left[k] - 8 * left[k + 1] + 8 * right[k + 1] - right[k]) / (12 * step);
  }
  double from_left(int k, double step) const { return (middle - left[static_cast<std::size_t>(k)]) / step; }
  double from_right(int k, double step) const { return (right[static_cast<std::size_t>(k)] - middle) / step; }

  double scale() const {
    double largest = std::abs(middle);
    for (std::size_t k = points / 2; k < points; ++k)
      largest = std::max({largest, std::abs(left[k]), std::abs(right[k])});
    return largest;
  }
};

Difference smooth(const Line& line, double largest_step) {
  std::array<double, levels> central{};
  std::array<double, levels - 1> apart{};
  const auto step = [&](std::size_t k) { return largest_step / std::exp2(static_cast<double>(k) + 1); };
  for (std::size_t k = 0; k < levels; ++k) central[k] = line.central(static_cast<int>(k), step(k));
  for (std::size_t k = 0; k + 1 < levels; ++k) apart[k] = std::abs(central[k] - central[k + 1]);
  // Among the smallest steps it is rounding that keeps neighbours apart, in proportion to 1/h. Cancellation
  // within the function can make it larger than the last bit of its value.
  double noise = 2 * epsilon * line.scale();
  constexpr std::size_t small_steps = 4;
  for (std::size_t k = levels - 1 - small_steps; k + 1 < levels; ++k)
    if (std::isfinite(apart[k])) noise = std::max(noise, apart[k] * step(k + 1));
  Difference best;
  best.value = central[levels / 2];
  best.uncertainty = std::numeric_limits<double>::infinity();
  for (std::size_t k = 1; k + 1 < levels; ++k) {
    // NaN, where a large step leaves the function's domain, is never less.
    const double uncertainty = std::max(apart[k - 1], apart[k]) + noise / step(k);
    if (uncertainty < best.uncertainty) {
      best.value = central[k];
      best.uncertainty = uncertainty;
    }
  }
  return best;
}

// Looks at the two smallest steps.
void look_for_kink(const Line& line, double largest_step, Difference& found) {
  const int last = points - 1;
  const double step = largest_step / std::exp2(last);
  const auto gap = [&](int k, double h) { return line.from_right(k, h) - line.from_left(k, h); };
  const double here = gap(last, step);
  const double before = gap(last - 1, 2 * step);
  const double noise = 8 * epsilon * line.scale() / step;
  found.left = line.from_left(last, step);
  found.right = line.from_right(last, step);
  const double size = std::max(std::abs(found.left), std::abs(found.right));
  // A smooth function's gap would have halved; and it is of the order of the step.
  found.kink = std::abs(here) > 100 * noise && std::abs(here) > 0.75 * std::abs(before) &&
               std::abs(here) > 1e-4 * size;
}

}  // namespace

std::vector<Difference> differentiate(const LineFunction& function, std::size_t outputs,
                                      double largest_step) {
  std::vector<Line> lines(outputs);
  std::vector<double> values(outputs);
  const auto sample = [&](double offset, auto place) {
    function(offset, values);
    for (std::size_t j = 0; j < outputs; ++j) place(lines[j]) = values[j];
  };
  sample(0, [](Line& line) -> double& { return line.middle; });
  for (std::size_t k = 0; k < points; ++k) {
    const double step = largest_step / std::exp2(static_cast<double>(k));
    sample(-step, [k](Line& line) -> double& { return line.left[k]; });
    sample(step, [k](Line& line) -> double& { return line.right[k]; });
  }
  std::vector<Difference> found;
  for (const Line& line : lines) {
    found.push_back(smooth(line, largest_step));
    look_for_kink(line, largest_step, found.back());
  }
  return found;
}

}  // namespace gradus
