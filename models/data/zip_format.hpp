#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

/// Constants of the zip format for its reader and its writer (PKWARE's APPNOTE, 4.3 to 4.5).
namespace gradus::zip {

constexpr std::string_view local_signature = "PK\x03\x04";
constexpr std::string_view entry_signature = "PK\x01\x02";
constexpr std::string_view end_signature = "PK\x05\x06";
constexpr std::string_view end64_signature = "PK\x06\x06";
constexpr std::string_view locator_signature = "PK\x06\x07";
constexpr std::size_t local_size = 30;
constexpr std::size_t entry_size = 46;
constexpr std::size_t end_size = 22;
constexpr std::size_t end64_size = 56;
constexpr std::size_t locator_size = 20;

constexpr std::uint16_t stored = 0;
constexpr std::uint16_t deflated = 8;
constexpr std::uint16_t encrypted_flag = 1;
constexpr std::uint16_t utf8_flag = 1U << 11U;
constexpr std::uint16_t zip64_extra = 1;
// A field with this value is found in the zip64 extra.
constexpr std::uint16_t in_zip64_16 = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint32_t in_zip64_32 = std::numeric_limits<std::uint32_t>::max();

/// The little-endian number of so many bytes at an offset, which must be within the text.
inline std::uint64_t number_at(std::string_view text, std::size_t offset, std::size_t bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes; i-- > 0;) number = number << 8U | static_cast<unsigned char>(text[offset + i]);
  return number;
}

}  // namespace gradus::zip
