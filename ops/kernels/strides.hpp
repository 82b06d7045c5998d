#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "gradus/base/error.hpp"
#include "gradus/graph/shape.hpp"

namespace gradus {

/// Elements between neighbours along each axis of a contiguous tensor.
inline Extents row_major_strides(const Extents& extents) {
  Extents strides(extents.size());
  std::int64_t stride = 1;
  for (std::size_t axis = extents.size(); axis-- > 0; stride *= extents[axis]) strides[axis] = stride;
  return strides;
}

/// Walks two tensors of these extents in step: a contiguous one, and one that begins at `offset` and has a
/// stride for each axis (a stride of 0 repeats). Axes are merged where the strides allow it. Allocates
/// nothing.
class StridedWalk {
 public:
  static constexpr std::size_t largest_rank = 16;

  StridedWalk(const Extents& extents, const Extents& strides, std::int64_t offset = 0)
      : count_(element_count(extents)), offset_(offset) {
    for (std::size_t axis = 0; axis < extents.size(); ++axis) {
      Axis next{extents[axis], strides[axis]};
      if (next.extent == 1) continue;
      if (rank_ > 0 && axes_[rank_ - 1].stride == next.stride * next.extent)
        next.extent *= axes_[--rank_].extent;
      if (rank_ == largest_rank) throw Error("more than 16 axes that cannot be merged");
      axes_[rank_++] = next;
    }
    if (rank_ == 0) axes_[rank_++] = {1, 1};
  }

  std::int64_t count() const { return count_; }

  /// Calls `row(contiguous, strided, n, stride)` for each innermost run, in row-major order.
  template <class Row> void operator()(Row row) const {
    std::array<std::int64_t, largest_rank> index{};
    const Axis inner = axes_[rank_ - 1];
    std::int64_t strided = offset_;
    for (std::int64_t contiguous = 0; contiguous < count_; contiguous += inner.extent) {
      row(contiguous, strided, inner.extent, inner.stride);
      for (std::size_t axis = rank_ - 1; axis-- > 0;) {
        const Axis& outer = axes_[axis];
        strided += outer.stride;
        if (++index[axis] < outer.extent) break;
        strided -= outer.stride * outer.extent;
        index[axis] = 0;
      }
    }
  }

  /// Copies the strided tensor to the contiguous one.
  template <class T> void gather(const T* strided, T* contiguous) const {
    (*this)([&](std::int64_t to, std::int64_t from, std::int64_t n, std::int64_t stride) {
      const T* read = strided + from;
      T* written = contiguous + to;
      for (std::int64_t i = 0; i < n; ++i) written[i] = read[i * stride];
    });
  }

  /// Copies the contiguous tensor to the strided one.
  template <class T> void scatter(const T* contiguous, T* strided) const {
    (*this)([&](std::int64_t from, std::int64_t to, std::int64_t n, std::int64_t stride) {
      for (std::int64_t i = 0; i < n; ++i) strided[to + i * stride] = contiguous[from + i];
    });
  }

 private:
  struct Axis {
    std::int64_t extent;
    std::int64_t stride;
  };
  std::array<Axis, largest_rank> axes_{};
  std::size_t rank_ = 0;
  std::int64_t count_;
  std::int64_t offset_;
};

}  // namespace gradus
