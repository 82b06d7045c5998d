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

/// The bytes of memory that what is large may take: the machine's, or fewer by setrlimit or `limit_memory`.
std::size_t memory_limit();

/// From now on nothing that is large takes more than so many bytes of memory at once.
void limit_memory(std::size_t bytes);

/// Error when the process may not have so many bytes of memory: some systems would promise them all the same.
void require_memory(std::size_t bytes);

/// Memory that begins at a cache line's boundary. Error when it cannot be had.
AlignedBytes allocate_aligned(std::size_t bytes);

/// The next multiple of the alignment.
constexpr std::size_t align_up(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

}  // namespace gradus
