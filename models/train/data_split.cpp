#include "models/train/data_split.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "gradus/base/error.hpp"

namespace gradus {

Rows rows_in_order(std::int64_t begin, std::int64_t end) {
  Rows rows(static_cast<std::size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(begin));
  return rows;
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
  const auto training = static_cast<std::int64_t>(std::floor(static_cast<double>(count) * (1 - split)));
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
