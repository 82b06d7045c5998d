// Whatever is written: the file as a whole or the one before, with the mode, the links and the kind of what
// was there.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "gradus/data/atomic_file.hpp"
#include "gradus/data/option_error.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class OutputFiles : public test::FolderTest {
 protected:
  // All names in the folder, links among them.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_)) found.push_back(entry.path().filename());
    std::ranges::sort(found);
    return found;
  }
  static mode_t mode_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    return status.st_mode & 07777U;
  }
  static std::string error_of(const fs::path& path) {
    return test::error_of([&] { write_atomically(path, "new"); });
  }
};

TEST_F(OutputFiles, AreWrittenWholeAndAlone) {
  const std::vector<std::string_view> pieces{"a", "", "bc"};
  write_atomically(file(), pieces);
  EXPECT_EQ(read(), "abc");
  write_atomically(file(), "");
  EXPECT_EQ(read(), "");
  EXPECT_EQ(names(), std::vector<std::string>{"f"});
}

TEST_F(OutputFiles, TakeTheUmaskWhereTheyAreNewAndKeepTheModeOfWhatWasThere) {
  const mode_t before = umask(027);
  write_atomically(file("new"), "x");
  umask(before);
  EXPECT_EQ(mode_of(file("new")), 0640U);
  for (const mode_t mode : {0600U, 0644U, 0666U, 0755U, 0200U}) {
    write("old", "x");
    chmod(file("old").c_str(), mode);
    write_atomically(file("old"), "y");
    EXPECT_EQ(mode_of(file("old")), mode);
    fs::remove(file("old"));
  }
}

TEST_F(OutputFiles, ThatAreWriteProtectedStayAsTheyAre) {
  write("old");
  chmod(file().c_str(), 0444);
  EXPECT_THAT(error_of(file()),
              testing::AllOf(HasSubstr("f: cannot be written"), HasSubstr("write-protected")));
  EXPECT_THAT(test::error_of([&] { require_writable(file()); }), HasSubstr("write-protected"));
  EXPECT_EQ(read(), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"f"});
}

TEST_F(OutputFiles, BehindLinksAreReplacedAndTheLinksStay) {
  write("folder/real", "old");
  fs::create_symlink("folder/real", file("relative"));
  fs::create_symlink(fs::absolute(file("relative")), file("absolute"));
  fs::create_symlink("folder/none", file("dangling"));
  for (const char* link : {"relative", "absolute", "dangling"}) {
    write_atomically(file(link), link);
    EXPECT_TRUE(fs::is_symlink(file(link)));
    EXPECT_EQ(read(link), link);
  }
  EXPECT_EQ(read("folder/real"), "absolute");
  EXPECT_EQ(read("folder/none"), "dangling");
  fs::create_symlink("circle", file("circle"));
  EXPECT_THAT(error_of(file("circle")), HasSubstr("symbolic links"));
}

TEST_F(OutputFiles, TouchNoOtherFile) {
  const std::string victim = write("victim", "keep");
  for (const char* name : {"f.tmp", "f~", ".f.tmp", "f.part", "f.new"})
    fs::create_symlink(victim, file(name));
  write("notes.tmp", "mine");
  const auto before = names();
  write_atomically(file("f"), "x");
  write_atomically(file("notes"), "x");
  EXPECT_EQ(read("victim"), "keep");
  EXPECT_EQ(read("notes.tmp"), "mine");
  EXPECT_EQ(names().size(), before.size() + 2);
}

TEST_F(OutputFiles, MayHaveTheLongestName) {
  const std::string longest(255, 'n');
  write_atomically(file(longest), "x");
  EXPECT_EQ(read(longest), "x");
  EXPECT_THAT(error_of(file(longest + "n")), HasSubstr("File name too long"));
}

TEST_F(OutputFiles, OfAnotherKindAreWrittenDirectlyOrRefused) {
  write_atomically("/dev/null", "x");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_THAT(error_of("/dev/full"), HasSubstr("No space left"));
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  require_writable(file("fifo"));  // waits for nobody
  std::string received;
  std::thread reader([&] { received = read("fifo"); });
  write_atomically(file("fifo"), "through");
  reader.join();
  EXPECT_EQ(received, "through");
  EXPECT_TRUE(fs::is_fifo(file("fifo")));
  EXPECT_THAT(error_of(folder_), HasSubstr("Is a directory"));
  EXPECT_THAT(error_of(file("no/such")), HasSubstr("No such file"));
  EXPECT_THAT(error_of(""), HasSubstr("the name is empty"));
  EXPECT_THAT(error_of(file("f/")), HasSubstr("cannot be written"));
}

// The last to end wins, as a whole.
TEST_F(OutputFiles, HaveOneOfTheContentsThatManyWrite) {
  constexpr std::size_t size = 1 << 18;
  std::vector<std::thread> writers;
  for (const char c : {'a', 'b', 'c'})
    writers.emplace_back([&, c] {
      for (int i = 0; i < 20; ++i) write_atomically(file(), std::string(size, c));
    });
  for (int i = 0; i < 50; ++i)
    if (const std::string content = read(); !content.empty()) {
      ASSERT_EQ(content, std::string(size, content[0]));
    }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(read().size(), size);
  EXPECT_EQ(names(), std::vector<std::string>{"f"});
}

TEST_F(OutputFiles, ThatFailLeaveWhatWasThere) {
  write("good");
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_atomically(file(), std::string(5000, 'x'));
    } catch (const Error&) {
      _exit(3);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_EQ(read(), "good");
  EXPECT_EQ(names(), std::vector<std::string>{"f"});
}

TEST_F(OutputFiles, OfOneCallAreDistinctByWhateverNames) {
  write("table", "x");
  fs::create_symlink("table", file("link"));
  fs::create_hard_link(file("table"), file("hard"));
  fs::create_symlink("to come", file("to another"));
  const auto refused = [&](const fs::path& a, const fs::path& b, bool a_written = true) {
    const std::vector<NamedFile> files{{"data", a, a_written}, {"save", "elsewhere"}, {"output", b}};
    return test::error_of([&] { require_distinct(files); });
  };
  for (const char* other : {"table", "link", "hard", "./table", "x/../table"})
    EXPECT_THAT(refused(file("table"), folder_ / other, false), HasSubstr("two purposes")) << other;
  EXPECT_THAT(refused(file("to come"), file("to another")), HasSubstr("two purposes"));
  EXPECT_THAT(refused(file("new"), folder_ / "." / "new"), HasSubstr("two purposes"));
  EXPECT_EQ(refused(file("new"), file("newer")), "no error");
  EXPECT_EQ(refused("/dev/null", "/dev/null"), "no error");
  EXPECT_EQ(refused("", ""), "no error");
  EXPECT_NO_THROW(
      require_distinct(std::vector<NamedFile>{{"a", file("table"), false}, {"b", file("table"), false}}));
}

}  // namespace
}  // namespace gradus
