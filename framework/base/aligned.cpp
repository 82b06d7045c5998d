#include "framework/base/aligned.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "gradus/base/error.hpp"

namespace gradus {

void require_memory(std::size_t bytes) {
  static const auto machine =
      static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  if (bytes > machine)
    throw Error(fmt::format("{} bytes of memory are needed, and the machine has {}", bytes, machine));
}

AlignedBytes allocate_aligned(std::size_t bytes) {
  require_memory(bytes);
  auto* memory = static_cast<std::byte*>(::operator new[](bytes, std::align_val_t(alignment), std::nothrow));
  if (memory == nullptr) throw Error(fmt::format("{} bytes of memory cannot be had now", bytes));
  std::uninitialized_fill_n(memory, bytes, std::byte{0});
  return AlignedBytes(memory);
}

}  // namespace gradus
