#include "models/data/input_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gradus/base/error.hpp"
#include "models/data/file_writing.hpp"

namespace gradus {

InputFile::InputFile(const std::filesystem::path& path, std::string_view what)
    : place_(fmt::format("{} '{}'", what, path.string())), file_(open_file(path, O_RDONLY | O_NONBLOCK)) {
  if (file_ < 0 && errno == ENOENT) fail("there is no such file; check the path");
  if (file_ < 0) fail(errno);
  struct stat status {};
  const int error = fstat(file_, &status) == 0 ? 0 : errno;
  const bool regular = error == 0 && S_ISREG(status.st_mode);
  size_ = static_cast<std::size_t>(status.st_size);
  if (regular) return;
  close(file_);
  if (error != 0) fail(error);
  fail("expected a regular file; copy the contents to one and name that");
}

InputFile::~InputFile() { close(file_); }

void InputFile::fail(std::string_view why) const { throw Error(fmt::format("{}: {}", place_, why)); }
void InputFile::fail(int error) const { fail(fmt::format("it cannot be read: {}", std::strerror(error))); }

}  // namespace gradus
