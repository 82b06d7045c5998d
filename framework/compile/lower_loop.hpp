#pragma once

#include <cstdint>

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

/// A fused step, or a share of it, as a loop over tiles. `call` has the pointers of the step's operands (null
/// for numbers), results and workspace.
template <class T>
TileLoop<T> lower_loop(const Plan& plan, const Step& step, const KernelCall<T>& call, Share share = {});

}  // namespace gradus
