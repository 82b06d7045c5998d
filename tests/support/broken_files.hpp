#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/allocation_counter.hpp"
#include "tests/support/framework_support.hpp"

/// What the tests of the readers share.
namespace gradus::test {

/// A test with a folder of its own.
class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "gradus-files-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name = "f") const { return (folder_ / name).string(); }
  std::string write(const std::string& bytes, const std::string& name = "f") const {
    std::ofstream(file(name), std::ios::binary) << bytes;
    return file(name);
  }
  std::string read(const std::string& name = "f") const {
    std::ifstream in(file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path folder_;
};

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
  for (const std::string& part : broken.says) EXPECT_THAT(message, testing::HasSubstr(part));
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
