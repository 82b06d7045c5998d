#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/folder.hpp"

/// Event files of TensorBoard, read by what their formats say and by nothing of the library.
namespace gradus::test {

/// A message of Protocol Buffers: its fields, each with its number. A number in it is kept as its bits.
class ProtobufFields {
 public:
  explicit ProtobufFields(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::uint64_t key = varint(bytes);
      const auto field = static_cast<int>(key >> 3U);
      switch (key & 7U) {
        case 0:
          bits_[field].push_back(varint(bytes));
          break;
        case 1:
          bits_[field].push_back(fixed(bytes, 8));
          break;
        case 5:
          bits_[field].push_back(fixed(bytes, 4));
          break;
        case 2:
          texts_[field].emplace_back(taken(bytes, varint(bytes)));
          break;
        default:
          throw std::runtime_error("a field of a type that there is not");
      }
    }
  }

  bool has(int field) const { return bits_.contains(field) || texts_.contains(field); }
  std::int64_t integer(int field) const { return static_cast<std::int64_t>(bits_.at(field).at(0)); }
  double number(int field) const { return std::bit_cast<double>(bits_.at(field).at(0)); }
  float single(int field) const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits_.at(field).at(0)));
  }
  const std::string& text(int field) const { return texts_.at(field).at(0); }
  std::vector<std::string> texts(int field) const {
    return texts_.contains(field) ? texts_.at(field) : std::vector<std::string>();
  }
  ProtobufFields message(int field) const { return ProtobufFields(text(field)); }
  std::vector<double> numbers(int field) const {
    std::vector<double> all(text(field).size() / sizeof(double));
    std::memcpy(all.data(), text(field).data(), all.size() * sizeof(double));
    return all;
  }

 private:
  static std::string_view taken(std::string_view& bytes, std::size_t count) {
    if (count > bytes.size()) throw std::runtime_error("a message ends within a field");
    const std::string_view first = bytes.substr(0, count);
    bytes.remove_prefix(count);
    return first;
  }
  static std::uint64_t varint(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7U) {
      const auto byte = static_cast<unsigned char>(taken(bytes, 1).front());
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
  }
  static std::uint64_t fixed(std::string_view& bytes, std::size_t count) {
    std::uint64_t value = 0;
    const std::string_view digits = taken(bytes, count);
    std::memcpy(&value, digits.data(), count);
    return value;
  }

  std::map<int, std::vector<std::uint64_t>> bits_;
  std::map<int, std::vector<std::string>> texts_;
};

/// CRC-32C, bit by bit.
inline std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
  }
  return ~crc;
}

/// The records of a TFRecord file; throws where a length or a checksum is wrong.
inline std::vector<std::string> records_of(const std::string& file) {
  std::vector<std::string> records;
  const auto require = [&](std::size_t at, std::size_t bytes) {
    if (at > file.size() || bytes > file.size() - at)
      throw std::runtime_error("the file ends within a record");
  };
  const auto number = [&](std::size_t at, std::size_t bytes) {
    require(at, bytes);
    std::uint64_t value = 0;
    std::memcpy(&value, file.data() + at, bytes);
    return value;
  };
  const auto check = [&](std::size_t at, std::size_t bytes) {
    const std::uint32_t crc = crc32c(std::string_view(file).substr(at, bytes));
    if (number(at + bytes, 4) != static_cast<std::uint32_t>((crc >> 15U | crc << 17U) + 0xA282EAD8U))
      throw std::runtime_error("a checksum is wrong");
  };
  for (std::size_t at = 0; at < file.size();) {
    const std::size_t length = number(at, 8);
    check(at, 8);
    require(at + 12, length);
    check(at + 12, length);
    records.push_back(file.substr(at + 12, length));
    at += 12 + length + 4;
  }
  return records;
}

/// All events of a folder, its files in the order of their names.
inline std::vector<ProtobufFields> events_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<ProtobufFields> events;
  for (const auto& path : paths)
    for (const std::string& record : records_of(contents(path))) events.emplace_back(record);
  return events;
}

}  // namespace gradus::test
