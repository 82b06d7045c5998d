#include "framework/check/difference.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "framework/check/difference_line.hpp"

namespace gradus {

namespace {

using difference::epsilon, difference::infinity, difference::larger, difference::Line,
    difference::more_points;
using difference::first_points, difference::most_points, difference::most_noise, difference::ratio;
using difference::shorter, difference::small_steps, difference::smallest, difference::step_at;
using difference::unit, difference::well_known;

// `noise` starts as what rounding alone must leave uncertain in a value; `within` the function it may be
// more.
Difference smooth(const Line& line, double largest_step, double within, double& noise) {
  const std::size_t levels = line.left.size() - 1;
  std::vector<double> central;
  std::vector<double> apart;
  const auto step = [&](std::size_t k) { return step_at(largest_step, k + 1); };
  for (std::size_t k = 0; k < levels; ++k) central.push_back(line.central(k, step(k)));
  for (std::size_t k = 0; k + 1 < levels; ++k) apart.push_back(std::abs(central[k] - central[k + 1]));
  // Among the smallest steps it is rounding that keeps neighbours apart, in proportion to 1/h. Cancellation
  // within the function can make it larger than the last bit of its value.
  const auto noise_at = [&](std::size_t k) { return std::isfinite(apart[k]) ? apart[k] * step(k + 1) : 0; };
  std::size_t loudest = levels - 2;
  for (std::size_t k = levels - 1 - small_steps; k + 1 < levels; ++k)
    if (noise_at(k) > noise_at(loudest)) loudest = k;
  // A kink at some distance makes differences err in proportion to 1/h, too, but always by as much; and from
  // where the steps do not reach it, not at all. That is no excuse.
  double elsewhere = noise;
  for (std::size_t k = levels - 1 - 2 * small_steps; k + 1 < levels; ++k)
    if (k + 1 < loudest || k > loudest + 1) elsewhere = std::max(elsewhere, noise_at(k));
  const double base = noise;
  noise = std::max(noise, noise_at(loudest));
  // A number within that is rounded jumps: what two steps further is gone without a trace was no truncation,
  // which fades by 2.1⁵ from step to step. Far less than the last digits of such a number is no jump of one.
  for (std::size_t k = 0; k + 3 < levels; ++k)
    if (noise_at(k) <= 16 * within && noise_at(k) >= 1e-6 * within &&
        std::max(noise_at(k + 2), base) < 1e-5 * noise_at(k))
      noise = std::max(noise, noise_at(k));
  bool within_reach = false;  // the kink, of all steps: how much smaller ones change is not to be known
  double excuse = 20 * elsewhere < noise ? elsewhere : noise;
  for (std::size_t k = levels - 1 - 2 * small_steps; k + small_steps < levels; ++k) {
    double low = infinity, high = -infinity;
    for (std::size_t i = k; i < k + small_steps; ++i) {
      const double err = (central[i] - central[i + 1]) * step(i + 1);
      low = std::min(low, err);
      high = std::max(high, err);
    }
    const double less = std::min(std::abs(low), std::abs(high));
    const double more = std::max(std::abs(low), std::abs(high));
    if (!(low * high > 0 && more < 1.5 * less && less > 20 * std::max(base, within))) continue;
    excuse = base;
    within_reach = k + small_steps + 1 == levels;
  }
  Difference best;
  best.value = central[levels / 2];
  best.uncertainty = infinity;
  for (std::size_t k = 1; k + 1 < levels; ++k) {
    double off = larger(apart[k - 1], apart[k]);
    // Smaller steps are trusted, but for the rounding in each of two differences.
    for (std::size_t j = k + 2; j < levels; ++j)
      off = larger(off, std::abs(central[k] - central[j]) - 2 * excuse / step(j));
    // NaN, where a large step leaves the function's domain, is never less.
    if (const double uncertainty = off + noise / step(k); uncertainty < best.uncertainty) {
      best.value = central[k];
      best.uncertainty = uncertainty;
    }
  }
  if (within_reach) best.uncertainty = infinity;
  return best;
}

// Looks at the two smallest steps.
void look_for_kink(const Line& line, double largest_step, double noise, Difference& found) {
  const std::size_t last = line.left.size() - 1;
  const double step = step_at(largest_step, last);
  const double left = line.from_left(last, step), right = line.from_right(last, step);
  const double left_before = line.from_left(last - 1, ratio * step);
  const double right_before = line.from_right(last - 1, ratio * step);
  const double gap = std::abs(right - left), before = std::abs(right_before - left_before);
  // A smooth function's gap would have halved, and it is of the order of the step.
  if (gap > 100 * noise / step && gap > 0.75 * before &&
      gap > 1e-4 * std::max(std::abs(left), std::abs(right))) {
    found.kink = gap < 1.5 * before;
    // The slope across a jump, or a peak too narrow for the steps, doubles: whatever they agree on means
    // nothing.
    if (!found.kink) found.uncertainty = infinity;
  }
  // Without the part that is of the order of the step.
  found.left = left + (left - left_before) / (ratio - 1);
  found.right = right + (right - right_before) / (ratio - 1);
}

struct Judgement {
  Difference difference{};
  double noise = 0;
};

// `least_noise`: what larger steps have shown.
Judgement judge(const Line& line, double largest_step, double of_all_outputs, double least_noise) {
  if (line.constant()) return {{.settled = true}};
  const double rounding = std::max(line.rounding(of_all_outputs), least_noise);
  double within = epsilon * std::max(of_all_outputs, unit);
  if (line.known_rounding > 0) within = std::min(within, std::max(rounding, line.jitter()));
  double noise = rounding;
  Difference found = smooth(line, largest_step, within, noise);
  look_for_kink(line, largest_step, noise, found);
  double slope = std::abs(found.value);
  if (found.kink) slope = std::max({slope, std::abs(found.left), std::abs(found.right)});
  const double of_rounding = std::max(rounding, 2 * epsilon * unit) / largest_step;
  found.settled =
      std::isfinite(found.value) && found.uncertainty <= std::max(1e-6 * slope, 500 * of_rounding);
  // Values that are as far apart at every step may belong to a function that oscillates between them.
  const bool unresolved = noise > std::max(most_noise * line.scale(), 64 * smallest) ||
                          line.bends_at_every_step() ||
                          (line.known_rounding > 0 && noise > 32 * std::max(line.known_rounding, rounding));
  if (unresolved && noise > 4 * line.known_rounding) found.uncertainty = infinity;
  found.settled = found.settled && !(unresolved && noise > 16 * within);
  return {found, noise};
}

class Lines {
 public:
  Lines(const LineFunction& function, std::size_t outputs, double largest_step,
        std::span<const double> rounding)
      : function_(function),
        largest_step_(largest_step),
        values_(outputs),
        lines_(outputs),
        jitter_(outputs) {
    function_(0, values_);
    for (std::size_t j = 0; j < outputs; ++j) {
      lines_[j].middle = values_[j];
      if (!rounding.empty()) lines_[j].known_rounding = rounding[j];
      if (std::isfinite(values_[j])) largest_output_ = std::max(largest_output_, std::abs(values_[j]));
    }
  }

  // `finest`: below this, steps are no longer what they should be.
  std::vector<Difference> differentiate(double finest) {
    add_points(first_points);
    // Numbers within the function may be rounded to multiples of this. Between two such roundings it looks as
    // smooth as it is wrong: once seen they are not forgotten.
    found_.resize(lines_.size());
    seen_noise_.resize(lines_.size());
    for (std::size_t j = 0; j < lines_.size(); ++j) {
      const Judgement first = judge(lines_[j], largest_step_, largest_output_, 0);
      least_noise_.push_back(first.noise <= 16 * within() ? first.noise : 0);
      take(j, first);
    }
    while (lines_.front().left.size() < most_points && smaller_steps_may_help()) {
      add_points(more_points);
      for (std::size_t j = 0; j < lines_.size(); ++j) {
        if (found_[j].settled || lines_[j].ends_in_rounding()) continue;
        const Judgement closer = judge(lines_[j], largest_step_, largest_output_, least_noise_[j]);
        if (better(closer.difference, found_[j])) take(j, closer);
      }
    }
    look_close(finest);
    look_far();
    return std::move(found_);
  }

 private:
  // A function may vary on a scale far below that of the first step, which was a guess. Whatever the larger
  // steps tell is compared with what one much smaller step tells on either side; where they contradict each
  // other, and where the larger steps tell nothing, windows of ever smaller steps are looked at.
  void look_close(double finest) {
    if (std::isinf(finest)) return;
    std::vector<std::optional<double>> told(lines_.size());
    std::vector<bool> open(lines_.size());
    const double moved = finest / (16 * epsilon);
    for (std::size_t j = 0; j < lines_.size(); ++j) {
      const Line& line = lines_[j];
      // A step of h is rounded to so much: the difference is that of a place beside.
      found_[j].uncertainty +=
          std::min(moved, epsilon * largest_step_) * line.largest_curvature(largest_step_, largest_output_);
      see_jitter(j, line);
      const bool is_kink = found_[j].kink && std::isfinite(found_[j].uncertainty);
      const bool is_told = line.constant() || is_kink || is_known(found_[j]);
      if (is_told) told[j] = other_slope(j, finest);
      open[j] = is_told ? told[j].has_value() : !line.ends_in_last_digits();
      if (!told[j] || is_flat(*told[j])) continue;
      const bool was_kink = found_[j].kink;
      found_[j] = {.value = *told[j], .uncertainty = infinity};
      // Rounding within the function would look the same: neither is believed.
      if (seen_noise_[j] > 0 && !was_kink) open[j] = false;
    }
    for (double step = largest_step_ / shorter; step > std::pow(ratio, first_points) * finest;
         step /= shorter) {
      if (std::ranges::none_of(open, std::identity())) return;
      Lines closer(function_, lines_.size(), step, {});
      closer.add_points(std::ranges::any_of(told, is_flat) ? first_points + 2 * small_steps : first_points);
      for (std::size_t j = 0; j < lines_.size(); ++j) {
        if (!open[j]) continue;
        Line& line = closer.lines_[j];
        see_jitter(j, line);
        if (is_flat(told[j])) {
          const bool is_curve = line.left.front() != line.middle && line.right.front() != line.middle;
          const bool is_found = is_curve ? take_over(j, line, step, std::nullopt) : take_flat(j, line, step);
          open[j] = !(is_found && !found_[j].kink) && !line.constant();
        } else {
          open[j] = !take_over(j, line, step, told[j]) && !line.ends_in_last_digits();
        }
      }
    }
  }

  static bool is_flat(std::optional<double> told) { return told && *told == 0; }

  // The noise of numbers that are rounded within the function. It may be as large as the last digits of 1,
  // or, where rounding is not measured, of what the steps change; more is a function that they do not
  // resolve.
  void see_jitter(std::size_t j, const Line& line) {
    const double jitter = line.jitter();
    const double guessed = lines_[j].known_rounding > 0 ? 0 : most_noise * line.largest_change();
    if (jitter <= std::max(16 * within(), guessed)) jitter_[j] = std::max(jitter_[j], jitter);
  }

  // Beside a kink that the larger steps took for one at 0 the function does not change.
  bool take_flat(std::size_t j, const Line& line, double step) {
    if (!line.is_flat_up_to_a_kink()) return false;
    found_[j] = {.uncertainty = line.rounding(0) / step, .settled = true};
    return true;
  }

  // The slope at the smallest step that must show the one that was found, if it is another one. A number that
  // is rounded within the function jumps on one side alone, or not at all: that is no slope.
  std::optional<double> other_slope(std::size_t j, double finest) {
    const Difference& found = found_[j];
    const double steepest = std::max({std::abs(found.value), std::abs(found.left), std::abs(found.right)});
    const double slope = found.kink ? steepest : std::abs(found.value);
    const double rounding =
        std::max({2 * epsilon * std::abs(lines_[j].middle), within(), lines_[j].known_rounding}) + smallest;
    double least = 1e3 * finest;
    if (!lines_[j].constant() && !found.kink) least = std::max(least, 1e4 * rounding / slope);
    double step = largest_step_;
    while (step / shorter > least) step /= shorter;
    if (step >= step_at(largest_step_, lines_[j].left.size())) return std::nullopt;
    const auto& [before, after] = beside(step);
    const double left = (lines_[j].middle - before[j]) / step;
    const double right = (after[j] - lines_[j].middle) / step;
    const double most = 0.01 * slope + 10 * found.uncertainty;
    const auto is_near = [&](double a, double b) { return std::abs(a - b) <= most; };
    if (found.kink ? is_near(left, found.left) && is_near(right, found.right)
                   : is_near(left, found.value) && is_near(right, found.value))
      return std::nullopt;
    if (found.kink && left == 0 && right == 0) return 0.0;
    const double smaller = std::min(std::abs(left), std::abs(right));
    const bool is_slope = smaller > 0 && std::abs(left - right) <= 0.01 * smaller;
    return is_slope ? std::optional((left + right) / 2) : std::nullopt;
  }

  // The outputs a step to the left and to the right.
  const std::pair<std::vector<double>, std::vector<double>>& beside(double step) {
    const auto [found, is_new] = beside_.try_emplace(step, values_, values_);
    if (is_new) {
      function_(-step, found->second.first);
      function_(step, found->second.second);
    }
    return found->second;
  }

  // Takes the derivative that this window of steps tells, if it does.
  bool take_over(std::size_t j, Line& line, double step, std::optional<double> told) {
    if (line.constant()) return false;
    line.known_rounding = lines_[j].known_rounding;
    const Difference found = judge(line, step, largest_output_, jitter_[j]).difference;
    if (!is_known(found)) return false;
    if (told && std::abs(found.value - *told) > 0.1 * std::abs(*told)) return false;
    // From afar, a kink beside looks like one at 0.
    const bool is_kink = found_[j].kink && std::isfinite(found_[j].uncertainty);
    if (is_kink &&
        std::abs(found.value - found_[j].value) <= 10 * (found.uncertainty + found_[j].uncertainty))
      return false;
    found_[j] = found;
    return true;
  }

  static bool is_known(const Difference& found) {
    return std::isfinite(found.value) && found.uncertainty <= well_known * std::abs(found.value);
  }
  // The rounding of numbers of the size of the outputs, or of 1.
  double within() const { return epsilon * std::max(largest_output_, unit); }

  void add_points(std::size_t count) {
    for (; count > 0; --count) {
      const double step = step_at(largest_step_, lines_.front().left.size());
      function_(-step, values_);
      for (std::size_t j = 0; j < lines_.size(); ++j) lines_[j].left.push_back(values_[j]);
      function_(step, values_);
      for (std::size_t j = 0; j < lines_.size(); ++j) lines_[j].right.push_back(values_[j]);
    }
  }

  void take(std::size_t j, const Judgement& judgement) {
    found_[j] = judgement.difference;
    seen_noise_[j] = judgement.noise > 2 * lines_[j].rounding(largest_output_) ? judgement.noise : 0;
  }

  // If both are uncertain, but contradict each other, the smaller steps count.
  static bool better(const Difference& closer, const Difference& found) {
    if (closer.settled || found.kink) return closer.settled;
    return closer.uncertainty < found.uncertainty ||
           std::abs(closer.value - found.value) > 10 * (closer.uncertainty + found.uncertainty);
  }

  // Not where they would leave more to rounding than is uncertain now.
  bool smaller_steps_may_help() const {
    const std::size_t points = lines_.front().left.size();
    const double step = step_at(largest_step_, points);
    for (std::size_t j = 0; j < lines_.size(); ++j)
      if (!found_[j].settled && !lines_[j].ends_in_rounding() &&
          std::max(lines_[j].rounding(largest_output_), least_noise_[j]) / step < found_[j].uncertainty)
        return true;
    return false;
  }

  // A gradient that is 0 by cancellation has a rounding of its own: not too far.
  void look_far() {
    std::vector<std::size_t> constant;
    for (std::size_t j = 0; j < lines_.size(); ++j)
      if (lines_[j].constant()) constant.push_back(j);
    std::vector<double> scale(lines_.size(), std::max(largest_output_, unit));
    for (double reach = largest_step_; !constant.empty(); reach *= 16) {
      const auto uncertainty = [&](std::size_t j) {
        return std::max(2 * epsilon * scale[j], lines_[j].known_rounding) / reach;
      };
      for (const std::size_t j : constant) found_[j].uncertainty = uncertainty(j);
      if (reach > 100 * largest_step_) return;
      for (const double offset : {-16 * reach, 16 * reach}) {
        function_(offset, values_);
        std::erase_if(constant, [&](std::size_t j) {
          if (std::isfinite(values_[j])) scale[j] = std::max(scale[j], std::abs(values_[j]));
          found_[j].uncertainty = uncertainty(j);
          return values_[j] != lines_[j].middle;
        });
      }
    }
  }

  const LineFunction& function_;
  double largest_step_;
  double largest_output_ = 0;
  std::vector<double> values_;
  std::vector<Line> lines_;
  std::vector<Difference> found_;
  std::vector<double> least_noise_;
  std::vector<double> seen_noise_;  // that is more than the last digits of the values
  std::vector<double> jitter_;      // in the values, of numbers that are rounded within the function
  std::map<double, std::pair<std::vector<double>, std::vector<double>>> beside_;  // by the step
};

}  // namespace

std::vector<Difference> differentiate(const LineFunction& function, std::size_t outputs, double largest_step,
                                      std::span<const double> rounding, double finest) {
  return Lines(function, outputs, largest_step, rounding).differentiate(finest);
}

}  // namespace gradus
