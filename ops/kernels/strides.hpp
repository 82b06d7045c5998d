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

/// Walks `extents` with two strides per axis (a stride of 0 repeats), axis by axis merged where both allow
/// it, and calls `row(a, b, n, stride_a, stride_b)` for each innermost run, in row-major order. Allocates
/// nothing.
class StridedWalk {
 public:
  static constexpr std::size_t largest_rank = 16;

  StridedWalk(const Extents& extents, const Extents& strides_a, const Extents& strides_b) {
    for (std::size_t axis = 0; axis < extents.size(); ++axis) {
      if (extents[axis] == 1) continue;
      const Axis next{extents[axis], strides_a[axis], strides_b[axis]};
      if (rank_ > 0 && axes_[rank_ - 1].a == next.a * next.extent &&
          axes_[rank_ - 1].b == next.b * next.extent) {
        axes_[rank_ - 1] = {axes_[rank_ - 1].extent * next.extent, next.a, next.b};
        continue;
      }
      if (rank_ == largest_rank) throw Error("more than 16 axes that cannot be merged");
      axes_[rank_++] = next;
    }
    if (rank_ == 0) axes_[rank_++] = {1, 1, 1};
  }

  template <class Row> void operator()(Row row) const {
    std::array<std::int64_t, largest_rank> index{};
    const Axis inner = axes_[rank_ - 1];
    std::int64_t a = 0;
    std::int64_t b = 0;
    while (true) {
      row(a, b, inner.extent, inner.a, inner.b);
      std::size_t axis = rank_ - 1;
      while (axis > 0) {
        const Axis& outer = axes_[--axis];
        a += outer.a;
        b += outer.b;
        if (++index[axis] < outer.extent) break;
        a -= outer.a * outer.extent;
        b -= outer.b * outer.extent;
        index[axis] = 0;
        if (axis == 0) return;
      }
      if (rank_ == 1) return;
    }
  }

 private:
  struct Axis {
    std::int64_t extent;
    std::int64_t a;
    std::int64_t b;
  };
  std::array<Axis, largest_rank> axes_{};
  std::size_t rank_ = 0;
};

/// Copies along a walk: a is read, b is written.
template <class T> void strided_copy(const StridedWalk& walk, const T* input, T* output) {
  walk([&](std::int64_t a, std::int64_t b, std::int64_t n, std::int64_t stride_a, std::int64_t stride_b) {
    const T* from = input + a;
    T* to = output + b;
    for (std::int64_t i = 0; i < n; ++i) to[i * stride_b] = from[i * stride_a];
  });
}

}  // namespace gradus
