#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace gradus {

/// Appends the lowest `bytes` bytes of the number, the lowest first.
inline void append_little_endian(std::string& text, std::uint64_t number, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(number >> 8 * i & 0xFFU);
}

}  // namespace gradus
