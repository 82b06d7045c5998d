#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// A cache line, and the widest vector register.
inline constexpr std::size_t alignment = 64;

/// Frees what `allocate_aligned` gave.
struct AlignedDelete {
  /// Frees it.
  void operator()(std::byte* memory) const { ::operator delete[](memory, std::align_val_t(alignment)); }
};

/// Zeroed bytes that start on a cache line.
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;

/// Memory that begins at a cache line's boundary.
inline AlignedBytes allocate_aligned(std::size_t bytes) {
  auto* memory = static_cast<std::byte*>(::operator new[](bytes, std::align_val_t(alignment)));
  std::uninitialized_fill_n(memory, bytes, std::byte{0});
  return AlignedBytes(memory);
}

/// The next multiple of the alignment.
constexpr std::size_t align_up(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

}  // namespace gradus
