#include "models/data/file_writing.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gradus/base/error.hpp"

namespace gradus {

namespace {

// These errors are of a file system, or a kind of file, that has nothing to force.
bool has_no_disk(int error) {
  return error == EINVAL || error == ENOTSUP || error == EROFS || error == ENOSYS;
}

}  // namespace

FileSizeSignalBlocked::FileSizeSignalBlocked() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGXFSZ);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
}

FileSizeSignalBlocked::~FileSizeSignalBlocked() {
  constexpr timespec now{};
  if (sigismember(&before_, SIGXFSZ) == 0)
    while (sigtimedwait(&signals_, nullptr, &now) == SIGXFSZ) continue;
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

OpenFile::~OpenFile() {
  if (file_ >= 0) close(file_);
}

int open_file(const std::filesystem::path& path, int flags, mode_t mode) {
  int file = -1;
  do file = open(path.c_str(), flags | O_CLOEXEC, mode);
  while (file < 0 && errno == EINTR);
  return file;
}

std::filesystem::path followed(std::filesystem::path path, std::error_code& error) {
  constexpr int most_links = 40;
  for (int link = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(path, error)); ++link) {
    if (link == most_links) error = std::make_error_code(std::errc::too_many_symbolic_link_levels);
    if (error) return path;
    const std::filesystem::path to = std::filesystem::read_symlink(path, error);
    path = path.parent_path() / to;  // or the other alone, where it is absolute
  }
  error.clear();
  return path;
}

int write_all(int file, std::string_view bytes) {
  const FileSizeSignalBlocked blocked;
  while (!bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count < 0 ? errno : EIO;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

void append_to_file(const std::filesystem::path& path, std::string_view bytes) {
  constexpr mode_t for_all = 0666;
  const OpenFile file(open_file(path, O_WRONLY | O_APPEND | O_CREAT, for_all));
  const int error = file.is_open() ? write_all(file.get(), bytes) : errno;
  if (error != 0) refuse_to_write(path, error);
}

int force_to_disk(int file) {
  int result = 0;
  do result = fsync(file);
  while (result != 0 && errno == EINTR);
  return result == 0 || has_no_disk(errno) ? 0 : errno;
}

void force_name_to_disk(const std::filesystem::path& path) {
  const OpenFile folder(open_file(path.has_parent_path() ? path.parent_path() : ".", O_RDONLY | O_DIRECTORY));
  // Some may be written, but not listed.
  const int error = folder.is_open() ? force_to_disk(folder.get()) : errno == EACCES ? 0 : errno;
  if (error != 0)
    throw Error(fmt::format("{}: is written, but may be lost when the machine stops: {}", path.string(),
                            std::strerror(error)));
}

void refuse_to_write(const std::filesystem::path& path, std::string_view reason) {
  throw Error(fmt::format("{}: cannot be written: {}", path.string(), reason));
}

void refuse_to_write(const std::filesystem::path& path, int error) {
  const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  refuse_to_write(path, fmt::format("{}{}", std::strerror(error),
                                    is_full ? "; make room there, or name another place" : ""));
}

}  // namespace gradus
