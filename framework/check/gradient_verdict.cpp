#include "framework/check/gradient_verdict.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "framework/check/gradient_system.hpp"

namespace gradus {

namespace {

// How much more than its estimated uncertainty a difference may be off.
constexpr double safety = 10;
// Differences that leave more than this part of the largest entry uncertain prove nothing.
constexpr double coarsest = 1e-3;
// The share of the largest entry that a gradient's own rounding may leave of an entry that cancels.
constexpr double of_cancellation = 1e-10;
// The first step of a difference, as a share of the size of the number that is moved.
constexpr double largest_step = 1.0 / 32;

// The gradient is rounded, too.
double allowance(double analytic, const Difference& difference) {
  return safety * (difference.uncertainty + std::numeric_limits<double>::epsilon() * std::abs(analytic));
}

}  // namespace

Agreement compare(double analytic, const Difference& difference) {
  const double allowed = allowance(analytic, difference);
  const double off = std::abs(analytic - difference.value);
  if (off <= allowed && std::isfinite(off)) return Agreement::full;
  if (std::isfinite(analytic) && !std::isfinite(off)) return Agreement::unknown;
  if (!difference.kink) return Agreement::none;
  const auto [low, high] = std::minmax(difference.left, difference.right);
  const double slack = 1e-3 * (high - low) + allowed;
  return analytic >= low - slack && analytic <= high + slack ? Agreement::kink : Agreement::none;
}

Verdict::Verdict(std::string name, Extents extents, int order) {
  tensor_.name = std::move(name);
  tensor_.extents = std::move(extents);
  tensor_.order = order;
}

void Verdict::add(std::string what, double analytic, const Difference& difference, bool is_direction) {
  CheckedEntry entry{std::move(what), analytic, difference.value, difference.uncertainty, 0, 0};
  for (const double v : {analytic, difference.value})
    if (std::isfinite(v)) largest_ = std::max(largest_, std::abs(v));
  const Agreement agreement = compare(analytic, difference);
  const bool at_kink = agreement == Agreement::kink;
  ++tensor_.compared;
  if (analytic != 0 || difference.value != 0 || at_kink) ++tensor_.nonzero;
  if (at_kink && !is_direction && ++tensor_.kinks == 1) tensor_.kink_at = entry.what;
  if (agreement == Agreement::full || agreement == Agreement::none) {
    entry.error = std::abs(analytic - difference.value);  // over the largest entry, once that is known
    entry.excess = entry.error == 0 ? 0 : entry.error / allowance(analytic, difference);
    if (std::isnan(entry.excess)) entry.excess = std::numeric_limits<double>::infinity();
  }
  entries_.push_back({std::move(entry), !at_kink && !is_direction, difference.settled});
}

CheckedTensor Verdict::finish() {
  std::size_t counted = 0, unresolved = 0;
  for (auto& [entry, counts, settled] : entries_) {
    counted += counts ? 1 : 0;
    const bool is_zero = entry.analytic == 0 && entry.numeric == 0;
    if (counts && !(is_zero && settled) && !(safety * entry.uncertainty <= coarsest * largest_)) {
      // Rounding may hide a small gradient, which is no fault of the point's; but it is said.
      if (!settled) ++unresolved;
      if (++tensor_.unsettled == 1) tensor_.unsettled_at = entry.what;
    }
    const bool exact = entry.analytic == 0 || entry.numeric == 0;
    if (!exact && entry.error <= of_cancellation * largest_) entry.excess = std::min(entry.excess, 1.0);
    if (entry.error > 0) entry.error /= largest_;
    tensor_.worst_error = std::isnan(entry.error) ? std::numeric_limits<double>::infinity()
                                                  : std::max(tensor_.worst_error, entry.error);
  }
  std::ranges::stable_sort(entries_, std::greater<>(), [](const Item& item) { return item.entry.excess; });
  if (!entries_.empty()) tensor_.worst = entries_.front().entry;
  constexpr std::size_t most_kept = 20;
  for (const auto& [entry, counts, settled] : entries_) {
    if (entry.excess <= 1) break;
    ++tensor_.failures;
    if (tensor_.failed.size() < most_kept) tensor_.failed.push_back(entry);
  }
  // One in a hundred, or one among fewer.
  const std::size_t tolerated = std::max<std::size_t>(tensor_.nonzero / 100, 1);
  const bool nothing_shown = unresolved > 0 && unresolved == counted;
  tensor_.ok = tensor_.failures == 0 && tensor_.kinks + unresolved <= tolerated && !nothing_shown;
  return std::move(tensor_);
}

std::string index_text(std::size_t index, const Extents& extents) {
  Extents position(extents.size());
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    position[axis] = static_cast<std::int64_t>(index) % extents[axis];
    index /= static_cast<std::size_t>(extents[axis]);
  }
  return to_string(std::span<const std::int64_t>(position));
}

// A step is measured by the entry itself, or by a tenth of the usual size of its tensor; but not by less than
// a thousandth, since most functions' own scale is 1, and smaller steps are found when they are needed.
double first_step(double x, const std::vector<double>& tensor) {
  const double usual = usual_size(tensor);
  const double scale = usual > 0 ? std::max({std::abs(x), 0.1 * usual, 1e-3}) : 1;
  return largest_step * (std::isfinite(scale) ? scale : 1);
}

double finest_step(double x) {
  return std::max(16 * std::numeric_limits<double>::epsilon() * std::abs(x),
                  std::numeric_limits<double>::min());
}

double finest_step(const std::vector<double>& tensor, const std::vector<double>& tangent) {
  double finest = std::numeric_limits<double>::min();
  for (std::size_t i = 0; i < tensor.size(); ++i)
    if (tangent[i] != 0) finest = std::max(finest, finest_step(tensor[i]) / std::abs(tangent[i]));
  return finest;
}

}  // namespace gradus
