#include "gradus/train/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "gradus/base/error.hpp"
#include "gradus/data/array.hpp"

namespace gradus {

template <class T>
Dataset<T>::Dataset(std::int64_t count, Fill fill) : count_(count), fill_(std::move(fill)) {
  if (count < 1 || !std::in_range<std::uint32_t>(count))
    throw Error(fmt::format("data set: there must be from 1 to 2^32 - 1 samples, not {}", count));
}

namespace {

template <class T> struct Matrix {
  std::size_t width = 0;
  std::vector<T> values;

  void copy(std::size_t row, std::span<T> into) const {
    std::copy_n(&values[row * width], width, into.data());
  }
};

template <class T> struct ArrayRows {
  std::size_t width = 0;
  Array array;

  void copy(std::size_t row, std::span<T> into) const { convert(array.tensor, row * width, into); }
};

// Copies rows of such tensors.
template <class T, class Tensor> typename Dataset<T>::Fill fill_from(std::vector<Tensor> tensors) {
  return [shared = std::make_shared<const std::vector<Tensor>>(std::move(tensors))](
             std::span<const std::uint32_t> rows, std::span<const std::span<T>> into) {
    if (into.size() > shared->size())
      throw Error(fmt::format("data set: {} tensors are wanted (inputs, then targets), but there are {}",
                              into.size(), shared->size()));
    for (std::size_t i = 0; i < into.size(); ++i) {
      const Tensor& tensor = (*shared)[i];
      if (into[i].size() != rows.size() * tensor.width)
        throw Error(fmt::format("data set: the rows of tensor {} have {} numbers, but the model wants {}", i,
                                tensor.width, into[i].size() / rows.size()));
      for (std::size_t k = 0; k < rows.size(); ++k)
        tensor.copy(rows[k], into[i].subspan(k * tensor.width, tensor.width));
    }
  };
}

template <class T>
std::vector<Matrix<T>> matrices_of(std::int64_t count, const std::vector<std::vector<double>>& tensors) {
  std::vector<Matrix<T>> matrices;
  for (std::size_t i = 0; i < tensors.size() && count > 0; ++i) {
    const auto rows = static_cast<std::size_t>(count);
    if (tensors[i].size() % rows != 0)
      throw Error(fmt::format("data set: tensor {} has {} numbers, which are not {} rows", i,
                              tensors[i].size(), count));
    matrices.push_back({tensors[i].size() / rows, {}});
    for (const double v : tensors[i]) matrices.back().values.push_back(static_cast<T>(v));
  }
  return matrices;
}

std::int64_t rows_of(const std::vector<Array>& arrays) {
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const Extents& extents = arrays[i].tensor.extents;
    if (extents.empty() || extents[0] != arrays[0].tensor.extents[0])
      throw Error(fmt::format("data set: tensor {} is {} and tensor 0 is {}; all must have a row per sample",
                              i, to_string(extents), to_string(arrays[0].tensor.extents)));
  }
  return arrays.empty() ? 0 : arrays[0].tensor.extents[0];
}

template <class T> std::vector<ArrayRows<T>> array_rows_of(const std::vector<Array>& arrays) {
  std::vector<ArrayRows<T>> all;
  all.reserve(arrays.size());
  for (const Array& array : arrays)
    all.push_back(
        {array.tensor.count() / std::max<std::size_t>(1, static_cast<std::size_t>(rows_of(arrays))), array});
  return all;
}

}  // namespace

template <class T>
Dataset<T>::Dataset(std::int64_t count, const std::vector<std::vector<double>>& tensors)
    : Dataset(count, fill_from<T>(matrices_of<T>(count, tensors))) {}

template <class T>
Dataset<T>::Dataset(const std::vector<Array>& tensors)
    : Dataset(rows_of(tensors), fill_from<T>(array_rows_of<T>(tensors))) {}

template class Dataset<float>;
template class Dataset<double>;

}  // namespace gradus
