#include "gradus/models/training/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "gradus/framework/graph/error.hpp"

namespace gradus {

template <class T>
Dataset<T>::Dataset(std::int64_t count, Fill fill) : count_(count), fill_(std::move(fill)) {
  if (count < 1 || !std::in_range<std::uint32_t>(count))
    throw Error(fmt::format("data set: there must be from 1 to 2^32 - 1 samples, not {}", count));
}

namespace {

template <class T>
struct Matrix {
  std::size_t width;
  std::vector<T> values;
};

template <class T>
typename Dataset<T>::Fill fill_from(std::int64_t count, const std::vector<std::vector<double>>& tensors) {
  auto matrices = std::make_shared<std::vector<Matrix<T>>>();
  for (std::size_t i = 0; i < tensors.size() && count > 0; ++i) {
    const auto rows = static_cast<std::size_t>(count);
    if (tensors[i].size() % rows != 0)
      throw Error(fmt::format("data set: tensor {} has {} numbers, which are not {} rows", i,
                              tensors[i].size(), count));
    matrices->push_back({tensors[i].size() / rows, {}});
    for (const double v : tensors[i]) matrices->back().values.push_back(static_cast<T>(v));
  }
  return [matrices](std::span<const std::uint32_t> rows, std::span<const std::span<T>> into) {
    if (into.size() > matrices->size())
      throw Error(fmt::format("data set: {} tensors are wanted (inputs, then targets), but there are {}",
                              into.size(), matrices->size()));
    for (std::size_t i = 0; i < into.size(); ++i) {
      const auto& [width, values] = (*matrices)[i];
      if (into[i].size() != rows.size() * width)
        throw Error(fmt::format("data set: the rows of tensor {} have {} numbers, but the model wants {}", i,
                                width, into[i].size() / rows.size()));
      for (std::size_t k = 0; k < rows.size(); ++k)
        std::copy_n(&values[rows[k] * width], width, &into[i][k * width]);
    }
  };
}

}  // namespace

template <class T>
Dataset<T>::Dataset(std::int64_t count, const std::vector<std::vector<double>>& tensors)
    : Dataset(count, fill_from<T>(count, tensors)) {}

template class Dataset<float>;
template class Dataset<double>;

}  // namespace gradus
