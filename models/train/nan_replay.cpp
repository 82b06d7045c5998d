#include "models/train/nan_replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
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

template <class T> bool any_nan(std::span<const T> values) {
  return std::ranges::any_of(values, [](T v) { return std::isnan(v); });
}

// The values of all leaves of the training graph before a step: the store's variables, and what it is fed.
template <class T>
Point point_before(const std::vector<std::span<T>>& buffers, const ModelGraph& training,
                   const Store<T>& store) {
  Point point;
  for (const std::string& name : store.names()) {
    const auto values = store.values(name);
    point[name].assign(values.begin(), values.end());
  }
  const std::vector<Expr> feeds = training.feeds();
  for (std::size_t i = 0; i < feeds.size(); ++i)
    point[training.graph[feeds[i].id()].label].assign(buffers[i].begin(), buffers[i].end());
  return point;
}

}  // namespace

template <class T>
NanReplay<T>::NanReplay(const ModelGraph& training, Store<T> store)
    : training_(training), store_(std::move(store)), names_(store_.names()) {
  marked_.resize(names_.size());
  for (const Update& update : training.updates)
    updated_.push_back(store_.values(training.graph[update.variable.id()].label));
  finite_.reserve(updated_.size());
  infinite_.reserve(updated_.size());
}

template <class T> void NanReplay<T>::mark(std::int64_t step) {
  if (is_confirmed_) {
    std::swap(marked_, good_);
    marked_.resize(names_.size());
  }
  is_confirmed_ = false;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto values = store_.values(names_[i]);
    marked_[i].assign(values.begin(), values.end());
  }
  finite_.clear();
  infinite_.clear();
  for (const auto& values : updated_)
    (all_finite<T>(values) || any_nan<T>(values) ? finite_ : infinite_).push_back(values);
  step_ = step;
}

template <class T> void NanReplay<T>::go_back() { restore(is_confirmed_ || good_.empty() ? marked_ : good_); }

template <class T> bool NanReplay<T>::wrote_finite() const {
  return std::ranges::all_of(finite_, all_finite<T>) && std::ranges::none_of(infinite_, any_nan<T>);
}

template <class T> void NanReplay<T>::rewind() { restore(marked_); }

// By the names: a callback may have had the store drop one.
template <class T> void NanReplay<T>::restore(const std::vector<std::vector<T>>& from) {
  for (std::size_t i = 0; i < names_.size(); ++i)
    std::ranges::copy(from[i], store_.values(names_[i]).begin());
}

template <class T> std::optional<std::string> NanReplay<T>::trace(const Step<T>& step) const {
  const auto rows = step.program.fill(step.data, step.rows);
  const Point point = point_before(step.program.buffers, training_, store_);
  std::vector<Expr> looked_at{training_.loss};
  for (const Update& update : training_.updates) looked_at.push_back(update.value);
  const auto trace = trace_nan<T>(looked_at, point, static_cast<std::int64_t>(rows.size()));
  if (!trace) return std::nullopt;
  return text_of(rows, point, trace->text);
}

// The trace and, where a sample itself is not finite, which row of the data that is.
template <class T>
std::string NanReplay<T>::text_of(std::span<const std::uint32_t> rows, const Point& point,
                                  const std::string& trace) const {
  const auto is_bad = [](double v) { return !std::isfinite(v); };
  for (const Expr& feed : training_.feeds()) {
    const auto& values = point.at(training_.graph[feed.id()].label);
    const auto found = std::ranges::find_if(values, is_bad);
    if (found == values.end() || !trace.starts_with(training_.graph.describe(feed.id()))) continue;
    const auto entry = static_cast<std::size_t>(found - values.begin());
    return fmt::format("{}\n  it is in row {} of the data", trace,
                       rows[entry / (values.size() / rows.size())]);
  }
  return trace;
}

template class NanReplay<float>;
template class NanReplay<double>;

}  // namespace gradus
