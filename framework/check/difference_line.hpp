#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

/// A part of difference.cpp: the values of an output along a line, and what can be seen in them.
namespace gradus::difference {

// Each step is a little less than half of the one before: half of it would be rounded as it was, wherever the
// function rounds, and two differences that agree would prove nothing.
inline constexpr double ratio = 2.1;
inline constexpr std::size_t first_points = 13;  // on either side
inline constexpr std::size_t more_points = 6;
inline constexpr std::size_t most_points = 43;
inline constexpr std::size_t small_steps = 4;
inline constexpr double epsilon = std::numeric_limits<double>::epsilon();
// A run takes smaller numbers for 0.
inline constexpr double smallest = std::numeric_limits<double>::min();
// The size of an output says nothing of the numbers that were added up to it: they may have cancelled.
inline constexpr double unit = 1;
inline constexpr double infinity = std::numeric_limits<double>::infinity();
// Noise of more than this part of the values is no rounding: the function has parts that the steps skip.
inline constexpr double most_noise = 1e-5;
// A difference that leaves more of itself uncertain does not tell the derivative.
inline constexpr double well_known = 1e-5;
// From one window of small steps to the next: 2.1⁸, so that they overlap.
inline constexpr double shorter = 378.22859361;

inline double larger(double a, double b) { return b > a || std::isnan(b) ? b : a; }  // NaN wins

inline double step_at(double largest_step, std::size_t k) {
  return largest_step / std::pow(ratio, static_cast<double>(k));
}

// One output's values at 0 and at ± the steps, largest first.
struct Line {
  double middle = 0;
  double known_rounding = 0;  // of the values
  std::vector<double> left{};
  std::vector<double> right{};

  // Exactly 0 where the values are the same. The outer points are those of the step before.
  double central(std::size_t k, double step) const {
    constexpr double cube = ratio * ratio * ratio;
    return (cube * (right[k + 1] - left[k + 1]) - (right[k] - left[k])) / (2 * (cube - ratio) * step);
  }
  double from_left(std::size_t k, double step) const { return (middle - left[k]) / step; }
  double from_right(std::size_t k, double step) const { return (right[k] - middle) / step; }

  bool changes_at(std::size_t k) const { return left[k] != middle || right[k] != middle; }
  bool constant() const {
    if (!std::isfinite(middle)) return false;
    for (std::size_t k = 0; k < left.size(); ++k)
      if (changes_at(k)) return false;
    return true;
  }

  // The size of the values around 0.
  double scale() const {
    double largest = std::abs(middle);
    for (std::size_t k = left.size() / 2; k < left.size(); ++k)
      largest = std::max({largest, std::abs(left[k]), std::abs(right[k])});
    return largest;
  }

  // Beside a kink, one side is constant up to there, while the other changes in proportion to the step.
  // Rounding makes the values constant, too, but treats both sides alike.
  bool flat_beside_kink() const {
    constexpr std::size_t well_beyond = 4, looked_at = 3;
    std::size_t first = left.size();  // that is constant
    while (first > 0 && !changes_at(first - 1)) --first;
    if (first == left.size() || first < well_beyond + looked_at + 1) return false;
    const auto change = [&](std::size_t k) {
      return std::max(std::abs(left[k] - middle), std::abs(right[k] - middle));
    };
    const auto gap = [&](std::size_t k) { return std::abs(left[k] - middle + right[k] - middle); };
    const auto is_proportional = [](double larger, double smaller) {
      return ratio * smaller > 0.7 * larger && ratio * smaller < 1.4 * larger;
    };
    for (std::size_t k = first - 1 - well_beyond, i = 0; i < looked_at; ++i, --k)
      if (!(gap(k) > 0.5 * change(k) && is_proportional(gap(k), gap(k + 1)) &&
            is_proportional(change(k), change(k + 1))))
        return false;
    return true;
  }

  double largest_change() const {
    double largest = 0;
    for (std::size_t k = 0; k < left.size(); ++k)
      for (const double v : {left[k], right[k]})
        if (std::isfinite(v - middle)) largest = std::max(largest, std::abs(v - middle));
    return largest;
  }

  // Beside such a kink, the other side is a straight line that meets the flat at the kink. Where rounding
  // made it flat, it would be a staircase.
  bool is_flat_up_to_a_kink() const {
    if (constant() || !flat_beside_kink()) return false;
    std::size_t first = left.size();
    while (!changes_at(first - 1)) --first;
    const auto& side = left[first - 1] != middle ? left : right;
    const double least = std::abs(side[first - 1] - middle);
    for (std::size_t k = first - 5; k + 3 <= first; ++k) {
      const double bend = ratio * (side[k + 2] - side[k + 1]) - (side[k + 1] - side[k]);
      if (!(std::abs(bend) <= 0.01 * std::max(least, 0.01 * std::abs(side[k + 2] - middle)))) return false;
    }
    return true;
  }

  // How far values jump to and fro. Those of a curve or of a power may bend at every step, but all in the
  // same sense, and those of a kink turn once or twice; those that are rounded within the function do so
  // often, on one side, or on both.
  double jitter() const {
    double most = 0;
    for (std::size_t end = first_points; end <= left.size(); end += more_points) {
      const double on_both = std::min(jitter_of(left, end, 2), jitter_of(right, end, 2));
      most = std::max({most, on_both, jitter_of(left, end, 4), jitter_of(right, end, 4)});
    }
    return most;
  }
  // The jitter of the values before `end`, if they turn that often; else 0.
  static double jitter_of(const std::vector<double>& values, std::size_t end, std::size_t least_turns) {
    constexpr std::size_t looked_at = 2 * small_steps;
    double jitter = 0, before = 0;
    std::size_t turns = 0;
    for (std::size_t k = end - 3 - looked_at; k + 3 < end; ++k) {
      // Neither a constant, nor a line, nor a parabola leaves anything of this.
      const auto change = [&](std::size_t i) { return values[i + 1] - values[i]; };
      const auto bend = [&](std::size_t i) { return ratio * change(i + 1) - change(i); };
      const double rest = bend(k + 1) / ratio - bend(k) / (ratio * ratio * ratio);
      if (!(std::abs(rest) > 64 * epsilon * std::abs(values[k])) || std::isinf(rest)) continue;
      if (before != 0 && std::signbit(rest) != std::signbit(before)) {
        ++turns;
        jitter = std::max(jitter, std::min(std::abs(rest), std::abs(before)));
      }
      before = rest;
    }
    return turns >= least_turns ? jitter / 4 : 0;  // four values took part
  }

  // Smaller steps would change even less than the last digits of the values.
  bool ends_in_last_digits() const {
    const double most = 64 * epsilon * std::abs(middle);
    return std::abs(left.back() - middle) <= most && std::abs(right.back() - middle) <= most;
  }

  // The smallest step tells nothing if rounding hides what it changes.
  bool ends_in_rounding() const { return !changes_at(left.size() - 1) && !flat_beside_kink(); }

  // The multiple to which the values are rounded, if that can be seen; else 0.
  double quantum(double of_all_outputs) const {
    if (!ends_in_rounding()) return 0;
    double least = infinity;
    for (std::size_t k = 0; k < left.size(); ++k)
      for (const double v : {left[k], right[k]})
        if (v != middle) least = std::min(least, std::abs(v - middle));
    return least <= 1e3 * epsilon * std::max(of_all_outputs, unit) ? least : 0;
  }

  // Whether the bend of the function at the smallest steps fades neither as that of a curve nor as that of a
  // kink: steps to left and right do not see it, as they are all too large.
  bool bends_at_every_step() const {
    const auto largest_bend = [&](std::size_t first) {
      double largest = 0;
      for (std::size_t k = first; k < first + small_steps; ++k)
        largest = larger(largest, std::abs(left[k] - middle + (right[k] - middle)));
      return largest;
    };
    const double last = largest_bend(left.size() - small_steps);
    return last > std::max(most_noise * scale(), 64 * smallest) &&
           12 * last > largest_bend(left.size() - 2 * small_steps);
  }

  // The bends that are more than rounding.
  double largest_curvature(double largest_step, double of_all_outputs) const {
    const double least = 100 * rounding(of_all_outputs);
    double largest = 0;
    for (std::size_t k = 0; k < left.size(); ++k) {
      const double bend = std::abs(left[k] - middle + (right[k] - middle));
      if (bend > least && std::isfinite(bend))
        largest = std::max(largest, bend / std::pow(step_at(largest_step, k), 2));
    }
    return largest;
  }

  // The least that rounding leaves uncertain in a value.
  double rounding(double of_all_outputs) const {
    return std::max({2 * epsilon * scale() + smallest, quantum(of_all_outputs), known_rounding});
  }
};

}  // namespace gradus::difference
