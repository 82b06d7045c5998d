#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradus/train/dataset.hpp"
#include "gradus/train/model.hpp"

namespace gradus {

/// Keeps samples of weight 0 out of a training. A factor of 0 does not: 0 times infinity is NaN, and a label
/// may be none. So each such sample of a batch is replaced by one that counts, in turn, and keeps its weight;
/// where none counts, all are zeros. Of a sample whose class has the factor 0, only the inputs are replaced,
/// and only in training.
template <class T> class CountedRows {
 public:
  /// All samples count.
  CountedRows() = default;
  /// The graph is fed the tensors of `feeds()`; the factors are those of its classes, or none.
  CountedRows(const ModelGraph& graph, std::vector<double> class_weights);

  /// Replaces samples in the tensors that a batch of rows has been written to, and in `rows`, which then says
  /// which row of the data each is.
  void replace(std::span<const std::span<T>> tensors, std::span<std::uint32_t> rows) const;
  /// Error, naming the row of the data, where class weights need a target that belongs to one class, or to
  /// several in part, and it does not.
  void require_classes(std::span<const std::span<T>> tensors, std::span<const std::uint32_t> rows) const;

 private:
  bool has_weight(std::span<const std::span<T>> tensors, std::size_t row) const;
  bool has_factor(std::span<const T> target) const;

  std::vector<bool> has_rows_;  // for each tensor, whether it has some for each sample
  std::size_t target_ = 0;      // which tensor it is; weights are the next
  bool has_weights_ = false;
  bool is_training_ = false;
  bool has_indices_ = false;     // the target is a class index, not a number for each class
  std::vector<double> factors_;  // of classes
};

}  // namespace gradus
