#include "models/train/nan_replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <numeric>
#include <type_traits>
#include <utility>

#include "gradus/inspect/nan_trace.hpp"

namespace gradus {

namespace {

// By the bits, which vectorises: a NaN or an infinity has an exponent of ones, to which a one is added here.
template <class T> bool all_finite(std::span<const T> values) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr int mantissa = sizeof(T) == 4 ? 23 : 52;
  constexpr int sign = 8 * sizeof(T) - 1;
  constexpr Bits exponent = (~Bits{0} >> (mantissa + 1)) << mantissa;
  static_assert(exponent == std::bit_cast<Bits>(static_cast<T>(HUGE_VAL)));
  Bits any = 0;
  for (const T v : values) any |= (std::bit_cast<Bits>(v) & exponent) + (Bits{1} << mantissa);
  return (any >> sign) == 0;
}

// The values of all leaves of the training graph before a step: the store's variables, and what it is fed.
template <class T>
Point point_before(const Step<T>& step, const ModelGraph& training, const Store<T>& store) {
  Point point;
  for (const std::string& name : store.names()) {
    const auto values = store.values(name);
    point[name].assign(values.begin(), values.end());
  }
  const auto& buffers = step.program.buffers;
  step.data.fill(step.rows, buffers);
  const std::vector<Expr> feeds = training.feeds();
  for (std::size_t i = 0; i < feeds.size(); ++i)
    point[training.graph[feeds[i].id()].label].assign(buffers[i].begin(), buffers[i].end());
  return point;
}

}  // namespace

template <class T>
NanReplay<T>::NanReplay(const ModelGraph& training, Store<T> store)
    : training_(training), store_(std::move(store)) {
  for (const std::string& name : store_.names()) all_.push_back(store_.values(name));
  marked_.resize(all_.size());
  for (const Update& update : training.updates)
    updated_.push_back(store_.values(training.graph[update.variable.id()].label));
  watched_.reserve(updated_.size());
}

template <class T> void NanReplay<T>::mark(std::int64_t step) {
  if (is_confirmed_) {
    std::swap(marked_, good_);
    marked_.resize(all_.size());
  }
  is_confirmed_ = false;
  for (std::size_t i = 0; i < all_.size(); ++i) marked_[i].assign(all_[i].begin(), all_[i].end());
  watched_.clear();
  std::ranges::copy_if(updated_, std::back_inserter(watched_), all_finite<T>);
  step_ = step;
}

template <class T> void NanReplay<T>::go_back() {
  const auto& from = is_confirmed_ || good_.empty() ? marked_ : good_;
  for (std::size_t i = 0; i < all_.size(); ++i) std::ranges::copy(from[i], all_[i].begin());
}

template <class T> bool NanReplay<T>::wrote_finite() const {
  return std::ranges::all_of(watched_, all_finite<T>);
}

template <class T> void NanReplay<T>::rewind() {
  for (std::size_t i = 0; i < all_.size(); ++i) std::ranges::copy(marked_[i], all_[i].begin());
}

template <class T> typename NanReplay<T>::Samples NanReplay<T>::counted(Samples samples) const {
  if (training_.weights.is_null()) return samples;
  const auto label = [&](const Expr& feed) { return training_.graph[feed.id()].label; };
  const std::vector<double> weights = samples.point.at(label(training_.weights));
  const auto counts = [&](std::size_t i) { return weights[i] != 0; };
  const auto some = std::ranges::find_if(samples.of, counts);
  if (some == samples.of.end()) return samples;
  const std::size_t other = *some;
  for (std::size_t& i : samples.of)
    if (!counts(i)) i = other;
  for (const Expr& feed : training_.feeds()) {
    if (feed.shape().rank() == 0 || feed.shape()[0] != B) continue;
    auto& values = samples.point.at(label(feed));
    const std::size_t width = values.size() / weights.size();
    for (std::size_t i = 0; i < weights.size(); ++i)
      if (samples.of[i] != i) std::copy_n(&values[other * width], width, &values[i * width]);
  }
  return samples;
}

template <class T> std::optional<std::string> NanReplay<T>::trace(const Step<T>& step) const {
  Samples samples{point_before(step, training_, store_), std::vector<std::size_t>(step.rows.size())};
  std::iota(samples.of.begin(), samples.of.end(), std::size_t{0});
  if (auto text = trace(step, counted(samples))) return text;
  return trace(step, samples);
}

template <class T>
std::optional<std::string> NanReplay<T>::trace(const Step<T>& step, const Samples& samples) const {
  std::vector<Expr> looked_at{training_.loss};
  for (const Update& update : training_.updates) looked_at.push_back(update.value);
  const auto trace = trace_nan<T>(looked_at, samples.point, static_cast<std::int64_t>(step.rows.size()));
  if (!trace) return std::nullopt;
  return text_of(step, samples, trace->text);
}

// The trace and, where a sample itself is not finite, which row of the data that is.
template <class T>
std::string NanReplay<T>::text_of(const Step<T>& step, const Samples& samples,
                                  const std::string& trace) const {
  const auto is_bad = [](double v) { return !std::isfinite(v); };
  for (const Expr& feed : training_.feeds()) {
    const auto& values = samples.point.at(training_.graph[feed.id()].label);
    const auto found = std::ranges::find_if(values, is_bad);
    if (found == values.end() || !trace.starts_with(training_.graph.describe(feed.id()))) continue;
    const auto entry = static_cast<std::size_t>(found - values.begin());
    return fmt::format("{}\n  it is in row {} of the data", trace,
                       step.rows[samples.of[entry / (values.size() / step.rows.size())]]);
  }
  return trace;
}

template class NanReplay<float>;
template class NanReplay<double>;

}  // namespace gradus
