#include "gradus/train/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "gradus/base/error.hpp"
#include "gradus/data/array.hpp"

namespace gradus {

namespace {

std::uint64_t hash_of(std::span<const std::byte> bytes, std::uint64_t hash) {
  constexpr std::size_t word = sizeof(std::uint64_t);
  for (std::size_t at = 0; at < bytes.size(); at += word) {
    std::uint64_t next = 0;
    std::memcpy(&next, &bytes[at], std::min(word, bytes.size() - at));
    hash = std::rotl(hash ^ next, 29) * 0x9E3779B97F4A7C15;
  }
  return hash;
}

}  // namespace

std::uint64_t fingerprint(std::span<const std::byte> bytes, std::uint64_t before) {
  constexpr std::size_t most = std::size_t{64} << 20U, part = std::size_t{4} << 10U;
  // Not 0, which says that nothing is known.
  std::uint64_t hash = hash_of(std::as_bytes(std::span(&before, 1)), bytes.size() + 1);
  if (bytes.size() <= most) return hash_of(bytes, hash) | 1U;
  constexpr std::size_t parts = most / part;
  for (std::size_t i = 0; i < parts; ++i)
    hash = hash_of(bytes.subspan((bytes.size() - part) / (parts - 1) * i, part), hash);
  return hash | 1U;
}

template <class T>
Dataset<T>::Dataset(std::int64_t count, Fill fill, std::uint64_t fingerprint)
    : count_(count), fingerprint_(fingerprint), fill_(std::move(fill)) {
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
    : Dataset(count, fill_from<T>(matrices_of<T>(count, tensors))) {
  for (const auto& tensor : tensors) {
    fingerprint_ = gradus::fingerprint(std::as_bytes(std::span(tensor)), fingerprint_);
    row_extents_.push_back({static_cast<std::int64_t>(tensor.size()) / count});
  }
}

template <class T>
Dataset<T>::Dataset(const std::vector<Array>& tensors)
    : Dataset(rows_of(tensors), fill_from<T>(array_rows_of<T>(tensors))) {
  for (const Array& array : tensors) {
    fingerprint_ = gradus::fingerprint(array.tensor.bytes, fingerprint_);
    row_extents_.emplace_back(array.tensor.extents.begin() + 1, array.tensor.extents.end());
  }
}

template <class T> Dataset<T> Dataset<T>::select(Rows rows) const {
  for (const std::uint32_t row : rows)
    if (row >= count_) throw Error(fmt::format("data set: there is no row {}; there are {}", row, count_));
  const auto all = std::as_bytes(std::span(rows));
  const std::uint64_t its = fingerprint_ == 0 ? 0 : gradus::fingerprint(all, fingerprint_);
  const auto count = static_cast<std::int64_t>(rows.size());
  Dataset selected{count,
                   [fill = fill_, kept = std::move(rows)](std::span<const std::uint32_t> wanted,
                                                          std::span<const std::span<T>> into) {
                     Rows moved;
                     moved.reserve(wanted.size());
                     for (const std::uint32_t row : wanted) moved.push_back(kept[row]);
                     fill(moved, into);
                   },
                   its};
  selected.row_extents_ = row_extents_;
  return selected;
}

template class Dataset<float>;
template class Dataset<double>;

}  // namespace gradus
