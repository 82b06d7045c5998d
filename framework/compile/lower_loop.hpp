#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "framework/compile/instruction.hpp"

namespace gradus {

/// One of so many parts of the rows, or of the elements.
struct Share {
  std::int64_t index = 0;
  std::int64_t count = 1;

  /// The first element or row of the share, out of `size`, and the one after its last.
  std::int64_t begin(std::int64_t size) const { return size * index / count; }
  std::int64_t end(std::int64_t size) const { return size * (index + 1) / count; }
};

/// The pointers of a step's operands (null for numbers), results and workspace.
template <class T> struct StepPointers {
  std::vector<const T*> operands;
  std::vector<T*> results;
  std::byte* workspace = nullptr;
};

/// A fused step, or a share of it, as a loop over tiles.
template <class T>
TileLoop<T> lower_loop(const Plan& plan, const Step& step, const StepPointers<T>& pointers, Share share = {});

/// The same as straight-line code, where one tile holds everything and nothing has to be spread; the loop is
/// taken apart for it.
template <class T> std::optional<StraightCalls<T>> straighten(TileLoop<T>& loop);

extern template TileLoop<float> lower_loop(const Plan&, const Step&, const StepPointers<float>&, Share);
extern template TileLoop<double> lower_loop(const Plan&, const Step&, const StepPointers<double>&, Share);
extern template std::optional<StraightCalls<float>> straighten(TileLoop<float>&);
extern template std::optional<StraightCalls<double>> straighten(TileLoop<double>&);

}  // namespace gradus
