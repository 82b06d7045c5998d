#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "models/data/little_endian.hpp"

namespace gradus {

/// A message of Protocol Buffers that is being written, field after field. Fields are named by their numbers.
class ProtobufMessage {
 public:
  const std::string& bytes() const { return bytes_; }

  ProtobufMessage& integer(int field, std::int64_t value) {
    key(field, varint_type);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  ProtobufMessage& number(int field, double value) {
    key(field, fixed64_type);
    append_little_endian(bytes_, std::bit_cast<std::uint64_t>(value), 8);
    return *this;
  }
  ProtobufMessage& single(int field, float value) {
    key(field, fixed32_type);
    append_little_endian(bytes_, std::bit_cast<std::uint32_t>(value), 4);
    return *this;
  }
  ProtobufMessage& text(int field, std::string_view value) {
    key(field, bytes_type);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  ProtobufMessage& message(int field, const ProtobufMessage& value) { return text(field, value.bytes()); }
  /// Doubles in one packed field.
  ProtobufMessage& numbers(int field, std::span<const double> values) {
    key(field, bytes_type);
    varint(8 * values.size());
    for (const double value : values) append_little_endian(bytes_, std::bit_cast<std::uint64_t>(value), 8);
    return *this;
  }

 private:
  static constexpr unsigned varint_type = 0;
  static constexpr unsigned fixed64_type = 1;
  static constexpr unsigned bytes_type = 2;
  static constexpr unsigned fixed32_type = 5;

  void key(int field, unsigned type) { varint(static_cast<std::uint64_t>(field) << 3U | type); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>((value & 0x7FU) | 0x80U);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

}  // namespace gradus
