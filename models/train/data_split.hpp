#pragma once

#include <cstdint>
#include <string_view>

#include "gradus/train/dataset.hpp"
#include "gradus/train/fit_options.hpp"

namespace gradus {

/// Which samples `fit` trains on, and which it validates on.
template <class T> struct DataSplit {
  std::int64_t training = 0;               ///< the first so many of the data
  const Dataset<T>* validation = nullptr;  ///< the same data, or other; null: there is no validation
  Rows validation_rows;                    ///< of `validation`
};

/// Error for epochs, batches or a validation split that make no sense. The data and the options must outlive
/// the split.
template <class T> DataSplit<T> split_data(const Dataset<T>& data, const FitOptions<T>& options);

/// The numbers from `begin` to before `end`.
Rows rows_in_order(std::int64_t begin, std::int64_t end);

/// Error, "FUNCTION: WHAT is 0; it must be at least 1", for a value below 1.
void require_positive(std::string_view function, std::string_view what, std::int64_t value);

}  // namespace gradus
