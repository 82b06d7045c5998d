#pragma once

#include <cstddef>

namespace gradus::test {

/// False under the address, thread and memory sanitizers, which need malloc for themselves: skip, visibly.
bool allocations_can_be_counted();

/// Counts what its own thread allocates while it lives, by malloc, calloc, realloc, aligned_alloc, memalign,
/// posix_memalign or mmap, and so by every operator new. One at a time for each thread. An executable that
/// links allocation_counter.cpp has these functions replaced by ones that count and pass on.
class AllocationCounter {
 public:
  AllocationCounter();
  ~AllocationCounter();
  AllocationCounter(const AllocationCounter&) = delete;
  AllocationCounter& operator=(const AllocationCounter&) = delete;

  std::size_t count() const;
  /// The sum of the sizes that were asked for, whether or not they were given back.
  std::size_t bytes() const;
};

/// How many allocations f makes.
template <class F> std::size_t allocations_of(F f) {
  const AllocationCounter counter;
  f();
  return counter.count();
}

/// How many bytes f asks for in all: at least as many as it ever holds.
template <class F> std::size_t bytes_allocated_by(F f) {
  const AllocationCounter counter;
  f();
  return counter.bytes();
}

}  // namespace gradus::test
