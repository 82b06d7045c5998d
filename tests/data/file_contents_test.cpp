// Files that change, or are none, while they are read.
#include "gradus/data/file_contents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "gradus/data/csv.hpp"
#include "gradus/data/mapped_file.hpp"
#include "gradus/data/npz.hpp"
#include "gradus/data/tensor_file.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

using test::error_of;
using testing::AnyOf;
using testing::HasSubstr;

class Contents : public test::FolderTest {};

TEST_F(Contents, AreTheFiles) {
  std::string bytes(5'000'001, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  for (const std::size_t size : {0U, 1U, 4096U, 4097U, 5'000'001U}) {
    const FileContents contents(write(bytes.substr(0, size)), "file");
    EXPECT_EQ(contents.bytes(), std::string_view(bytes).substr(0, size)) << size;
  }
}

TEST_F(Contents, StayWhenTheFileIsCutOff) {
  const std::string bytes(100'000, 'x');
  const FileContents contents(write(bytes), "file");
  ASSERT_EQ(truncate(file().c_str(), 0), 0);
  EXPECT_EQ(contents.bytes(), bytes);
}

// Somebody cuts the file off and fills it up again, over and over: each reader has all of it, or an Error
// that names it.
TEST_F(Contents, OfAFileThatBecomesShorterAreAnError) {
  std::string table = "a,b\n";
  while (table.size() < 4'000'000) table += "1,2\n";
  write(table);
  std::atomic<bool> enough = false;
  std::thread cutter([&] {
    while (!enough) {
      if (truncate(file().c_str(), 8) != 0) return;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      write(table);
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
  });
  int shorter = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string error = error_of([&] { const FileContents contents(file(), "file"); });
    if (error == "no error") continue;
    ++shorter;
    EXPECT_THAT(error, HasSubstr("file '" + file() + "': somebody made it shorter while it was read"));
  }
  enough = true;
  cutter.join();
  RecordProperty("shorter", shorter);
}

TEST_F(Contents, OfAFifoAreAnErrorAtOnce) {
  ASSERT_EQ(mkfifo(file().c_str(), 0600), 0);
  const auto refused = HasSubstr("expected a regular file");
  EXPECT_THAT(error_of([&] { const FileContents contents(file(), "file"); }), refused);
  EXPECT_THAT(error_of([&] { const MappedFile contents(file(), "file"); }), refused);
  EXPECT_THAT(error_of([&] { read_csv(file()); }), refused);
  EXPECT_THAT(error_of([&] { const TensorFile contents(file()); }), refused);
  EXPECT_THAT(error_of([&] { const NpzFile contents(file()); }), refused);
  EXPECT_THAT(error_of([&] { const FileContents contents("/dev/null", "file"); }), refused);
  EXPECT_THAT(error_of([&] { const FileContents contents(folder_, "file"); }), refused);
}

}  // namespace
}  // namespace gradus
