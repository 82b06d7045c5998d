#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "gradus/base/public.hpp"
#include "gradus/graph/shape.hpp"

namespace GRADUS_PUBLIC gradus {

struct Array;  // gradus/data/array.hpp

/// Row numbers of a data set.
using Rows = std::vector<std::uint32_t>;

/// A number that tells these bytes from others, after those that gave `before`: a hash of all of them or, of
/// more than 64 MiB, of parts throughout.
std::uint64_t fingerprint(std::span<const std::byte> bytes, std::uint64_t before = 0);

/// Samples for a model: a tensor for each of its inputs, one for the targets and, where the model wants them,
/// one for the samples' weights, with a row per sample. A copy shares the numbers.
template <class T> class Dataset {
 public:
  /// Writes the given rows of the first `into.size()` tensors, row after row: all of them, or without the
  /// last when targets are not needed.
  using Fill = std::function<void(std::span<const std::uint32_t> rows, std::span<const std::span<T>> into)>;

  /// Error unless there is at least one sample and at most 2^32. `fingerprint` tells the data from others, so
  /// that no training is resumed with other data; 0 where nothing is known.
  Dataset(std::int64_t count, Fill fill, std::uint64_t fingerprint = 0);
  /// From row-major matrices. Error when one's size is no multiple of the count.
  Dataset(std::int64_t count, const std::vector<std::vector<double>>& tensors);
  /// From arrays with a row per sample, as read_array and NpzFile give them. They are converted row by row
  /// when a step wants them: a mapped file may be larger than the memory. Error when their lengths differ.
  explicit Dataset(const std::vector<Array>& tensors);

  /// The data set of these rows of it, in this order. Error for a row that there is not.
  Dataset select(Rows rows) const;

  /// How many samples there are.
  std::int64_t count() const { return count_; }
  /// A hash of the data; of large arrays, a hash of parts of them.
  std::uint64_t fingerprint() const { return fingerprint_; }
  /// The extents of a row of each tensor; of a matrix, how many numbers. Empty where a function gives the
  /// rows.
  const std::vector<Extents>& row_extents() const { return row_extents_; }
  /// Copies rows, one tensor after the other.
  void fill(std::span<const std::uint32_t> rows, std::span<const std::span<T>> into) const {
    fill_(rows, into);
  }

 private:
  std::int64_t count_ = 0;
  std::uint64_t fingerprint_ = 0;
  std::vector<Extents> row_extents_;
  Fill fill_;
};

extern template class Dataset<float>;
extern template class Dataset<double>;

}  // namespace gradus
