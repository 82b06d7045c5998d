#include "framework/base/aligned.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "gradus/base/error.hpp"

namespace gradus {

namespace {
std::size_t machine_memory() {
  static const auto bytes =
      static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

std::atomic<std::size_t> most_bytes = SIZE_MAX;
}  // namespace

void limit_memory(std::size_t bytes) { most_bytes = bytes; }

std::size_t memory_limit() {
  std::size_t least = std::min(machine_memory(), most_bytes.load());
  for (const auto resource : {RLIMIT_DATA, RLIMIT_AS})
    if (rlimit limit{}; getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
      least = std::min(least, static_cast<std::size_t>(limit.rlim_cur));
  return least;
}

void require_memory(std::size_t bytes) {
  const std::size_t limit = memory_limit();
  if (bytes > limit)
    throw Error(fmt::format("{} bytes of memory are needed, and {} {}", bytes,
                            limit == machine_memory() ? "the machine has" : "the limit is", limit));
}

AlignedBytes allocate_aligned(std::size_t bytes) {
  require_memory(bytes);
  auto* memory = static_cast<std::byte*>(::operator new[](bytes, std::align_val_t(alignment), std::nothrow));
  if (memory == nullptr) throw Error(fmt::format("{} bytes of memory cannot be had now", bytes));
  std::uninitialized_fill_n(memory, bytes, std::byte{0});
  return AlignedBytes(memory);
}

}  // namespace gradus
