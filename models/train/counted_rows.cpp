#include "models/train/counted_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "gradus/base/error.hpp"

namespace gradus {

namespace {

template <class T> std::span<T> row_of(std::span<T> tensor, std::size_t row, std::size_t rows) {
  const std::size_t width = tensor.size() / rows;
  return tensor.subspan(row * width, width);
}

}  // namespace

template <class T>
CountedRows<T>::CountedRows(const ModelGraph& graph, std::vector<double> class_weights)
    : target_(graph.inputs.size()),
      has_weights_(!graph.weights.is_null()),
      is_training_(!graph.updates.empty()),
      has_indices_(graph.target.shape().rank() == 1),
      factors_(std::move(class_weights)) {
  for (const Expr& feed : graph.feeds())
    has_rows_.push_back(element_count(feed.shape().resolve(2)) == 2 * element_count(feed.shape().resolve(1)));
}

template <class T>
bool CountedRows<T>::has_weight(std::span<const std::span<T>> tensors, std::size_t row) const {
  return !has_weights_ || tensors[target_ + 1][row] != 0;
}

// Whether the class of the target has a factor other than 0. What is no class is for others to report.
template <class T> bool CountedRows<T>::has_factor(std::span<const T> target) const {
  if (factors_.empty() || !is_training_) return true;
  const auto counts = [&](std::size_t k) { return factors_[k] != 0; };
  if (has_indices_) {
    const T label = target.front();
    return !(label >= 0 && label < static_cast<T>(factors_.size())) ||
           counts(static_cast<std::size_t>(label));
  }
  if (target.size() == 1) return (counts(0) && target.front() != 1) || (counts(1) && target.front() != 0);
  bool is_out = false;
  for (std::size_t k = 0; k < target.size(); ++k) {
    if (target[k] == 0) continue;
    if (counts(k) || std::isnan(target[k])) return true;
    is_out = true;
  }
  return !is_out;
}

template <class T>
void CountedRows<T>::replace(std::span<const std::span<T>> tensors, std::span<std::uint32_t> rows) const {
  const std::size_t count = rows.size();
  const auto counts = [&](std::size_t row) {
    return has_weight(tensors, row) && has_factor(row_of<const T>(tensors[target_], row, count));
  };
  // The next sample that counts, the first one being behind the last; `count` where there is none.
  std::size_t other = count - 1;
  const auto next = [&] {
    for (std::size_t k = 1; k <= count; ++k)
      if (const std::size_t row = (other + k) % count; counts(row)) return row;
    return count;
  };
  if (!has_weights_ && (factors_.empty() || !is_training_)) return;
  for (std::size_t row = 0; row < count; ++row) {
    if (counts(row)) continue;
    const std::size_t found = next();
    const std::size_t replaced = has_weight(tensors, row) ? target_ : target_ + 1;
    for (std::size_t i = 0; i < replaced; ++i) {
      if (!has_rows_[i]) continue;
      const std::span<T> into = row_of(tensors[i], row, count);
      if (found == count)
        std::ranges::fill(into, T{0});
      else
        std::ranges::copy(row_of(tensors[i], found, count), into.begin());
    }
    if (found == count) continue;
    rows[row] = rows[found];
    other = found;
  }
}

template <class T>
void CountedRows<T>::require_classes(std::span<const std::span<T>> tensors,
                                     std::span<const std::uint32_t> rows) const {
  if (factors_.empty() || has_indices_) return;
  constexpr double tolerance = 1e-3;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto target = row_of<const T>(tensors[target_], row, rows.size());
    double sum = target.size() == 1 ? 1 : 0;
    for (const T v : target) sum += target.size() == 1 ? 0 : static_cast<double>(v);
    const auto is_no_share = [](T v) { return v < 0 || v > 1; };
    if (std::ranges::any_of(target, is_no_share) || std::abs(sum - 1) > tolerance)
      throw Error(
          fmt::format("class_weights: the target in row {} of the data is [{}], which is no class: {}; give "
                      "the samples weights of their own instead, see sample_weights",
                      rows[row], fmt::join(target, ", "),
                      target.size() == 1 ? "it must be from 0 to 1"
                                         : "the numbers must be from 0 to 1, and their sum 1"));
  }
}

template class CountedRows<float>;
template class CountedRows<double>;

}  // namespace gradus
