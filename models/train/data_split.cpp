#include "models/train/data_split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "gradus/base/error.hpp"
#include "gradus/base/random.hpp"
#include "gradus/train/split.hpp"

namespace gradus {

Rows rows_in_order(std::int64_t begin, std::int64_t end) {
  Rows rows(static_cast<std::size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(begin));
  return rows;
}

std::int64_t training_count(std::int64_t count, double split) {
  // A fraction, or 1 less a fraction, is rounded when it becomes a double, and its product with the count
  // once more. A product that lies so near to a whole number is that number.
  const auto all = static_cast<double>(count);
  const double kept = all * split, whole = std::nearbyint(kept);
  const bool is_whole = std::abs(kept - whole) <= 2 * std::numeric_limits<double>::epsilon() * all;
  return count - static_cast<std::int64_t>(is_whole ? whole : std::ceil(kept));
}

SplitRows stratified_split(std::span<const double> labels, double split, std::uint64_t seed) {
  if (!(split >= 0 && split < 1))
    throw Error(fmt::format("stratified_split: the split is {}; it must be in [0, 1)", split));
  std::map<double, Rows> classes;
  for (std::size_t row = 0; row < labels.size(); ++row)
    classes[labels[row]].push_back(static_cast<std::uint32_t>(row));
  Random random(seed, stream_of("stratified_split"));
  SplitRows all;
  for (auto& [label, rows] : classes) {
    random.shuffle(rows);
    const auto share = std::llround(static_cast<double>(rows.size()) * (1 - split));
    const auto end = rows.begin() + std::max<std::ptrdiff_t>(1, share);
    all.training.insert(all.training.end(), rows.begin(), end);
    all.validation.insert(all.validation.end(), end, rows.end());
  }
  if (split > 0 && all.validation.empty())
    throw Error(
        fmt::format("stratified_split: a split of {} leaves no row of {} classes in {} rows for validation",
                    split, classes.size(), labels.size()));
  random.shuffle(all.training);
  random.shuffle(all.validation);
  return all;
}

void require_positive(std::string_view function, std::string_view what, std::int64_t value) {
  if (value < 1) throw Error(fmt::format("{}: {} is {}; it must be at least 1", function, what, value));
}

template <class T> DataSplit<T> split_data(const Dataset<T>& data, const FitOptions<T>& options) {
  require_positive("fit", "epochs", options.epochs);
  require_positive("fit", "batch", options.batch);
  const double split = options.validation_split;
  if (!(split >= 0 && split < 1))
    throw Error(fmt::format("fit: validation_split is {}; it must be in [0, 1)", split));
  if (split > 0 && options.validation)
    throw Error("fit: there are validation data and a validation_split; give one of both");
  const std::int64_t count = data.count();
  const std::int64_t training = training_count(count, split);
  if (training < 1 || (split > 0 && training == count))
    throw Error(
        fmt::format("fit: a validation_split of {} leaves {} of {} samples for training and {} for "
                    "validation; there must be some of both",
                    split, training, count, count - training));
  if (options.validation)
    return {training, &*options.validation, rows_in_order(0, options.validation->count())};
  return {training, split > 0 ? &data : nullptr, rows_in_order(training, count)};
}

template DataSplit<float> split_data(const Dataset<float>&, const FitOptions<float>&);
template DataSplit<double> split_data(const Dataset<double>&, const FitOptions<double>&);

}  // namespace gradus
