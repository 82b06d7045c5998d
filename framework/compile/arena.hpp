#pragma once

#include <cstddef>
#include <limits>
#include <map>

#include "framework/base/aligned.hpp"

namespace gradus {

/// Places buffers in one arena, best fit first, as they come to life and die.
class ArenaAllocator {
 public:
  /// The offset of `bytes` bytes, on a cache line.
  std::size_t allocate(std::size_t bytes);
  void release(std::size_t offset, std::size_t bytes);
  /// The size that the arena must have.
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t endless = std::numeric_limits<std::size_t>::max();

  std::map<std::size_t, std::size_t> holes_{{0, endless}};  // begin, end
  std::size_t size_ = 0;
};

}  // namespace gradus
