#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/allocation_counter.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"

/// Shared by the tests of the readers.
namespace gradus::test {

/// A file that must be refused, and what the message must say beside the file's name.
struct BrokenFile {
  const char* name;
  std::string bytes;
  std::vector<std::string> says;
};

/// Expects that `read`, of a file with these bytes, is an Error that names the file and the place, and takes
/// no more memory than the file's size bounds: `per_byte` bytes for each of it, and some for messages.
template <class Read>
void expect_refused(const BrokenFile& broken, const std::string& path, Read read, std::size_t per_byte = 32) {
  std::string message;
  const std::size_t taken = bytes_allocated_by([&] { message = error_of(read); });
  EXPECT_THAT(message, testing::HasSubstr(path));
  expect_parts(message, broken.says);
  constexpr std::size_t some = 1U << 18U;
  const std::size_t limit = allocations_can_be_counted() ? per_byte * broken.bytes.size() + some : taken;
  EXPECT_LE(taken, limit) << message;
}

inline std::string little_endian(std::uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> 8 * i & 0xFFU);
  return text;
}

}  // namespace gradus::test
