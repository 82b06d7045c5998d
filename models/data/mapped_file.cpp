#include "gradus/data/mapped_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gradus/base/error.hpp"

namespace gradus {

MappedFile::MappedFile(const std::filesystem::path& path, std::string_view what) {
  const auto fail = [&](std::string_view why) {
    throw Error(fmt::format("{} '{}': {}", what, path.string(), why));
  };
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) fail("there is no such file; check the path");
  if (file < 0) fail(fmt::format("it cannot be read: {}", std::strerror(errno)));
  struct stat status {};
  void* memory = MAP_FAILED;
  const bool regular = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (regular && size > 0) memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  const int error = errno;
  close(file);
  if (!regular) fail("expected a regular file; copy the contents to one and name that");
  if (size == 0) return;
  if (memory == MAP_FAILED) fail(fmt::format("it cannot be mapped: {}", std::strerror(error)));
  madvise(memory, size, MADV_SEQUENTIAL);
  bytes_ = {static_cast<const char*>(memory), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace gradus
