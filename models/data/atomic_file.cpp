#include "gradus/data/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "gradus/base/error.hpp"

namespace gradus {

namespace {

// Beyond RLIMIT_FSIZE a write is to fail, not to kill: its signal is held back, and taken away if it came.
class FileSizeSignalBlocked {
 public:
  FileSizeSignalBlocked() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  ~FileSizeSignalBlocked() {
    constexpr timespec now{};
    if (sigismember(&before_, SIGXFSZ) == 0)
      while (sigtimedwait(&signals_, nullptr, &now) == SIGXFSZ) continue;
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  FileSizeSignalBlocked(const FileSizeSignalBlocked&) = delete;
  FileSizeSignalBlocked& operator=(const FileSizeSignalBlocked&) = delete;

 private:
  sigset_t signals_{};
  sigset_t before_{};
};

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view reason) {
  throw Error(fmt::format("{}: cannot be written: {}", path.string(), reason));
}

[[noreturn]] void fail(const std::filesystem::path& path, int error) { fail(path, std::strerror(error)); }

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// The name must still be that of the locked file: a writer before us may have renamed it.
bool locked(int file, const std::filesystem::path& temporary) {
  struct stat ours {};
  struct stat there {};
  return flock(file, LOCK_EX | LOCK_NB) == 0 && fstat(file, &ours) == 0 &&
         stat(temporary.c_str(), &there) == 0 && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

std::filesystem::path temporary_of(const std::filesystem::path& path) {
  std::filesystem::path temporary = path;
  return temporary += ".tmp";
}

int open_temporary(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) fail(path, EISDIR);
  constexpr mode_t for_all = 0666;
  const int file = open(temporary_of(path).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, for_all);
  if (file < 0) fail(path, errno);
  return file;
}

void lock(int file, const std::filesystem::path& path) {
  if (!locked(file, temporary_of(path)))
    fail(path, "another process is writing it; give each a file of its own");
}

}  // namespace

void require_writable(const std::filesystem::path& path) {
  const Descriptor file(open_temporary(path));
  lock(file, path);
  unlink(temporary_of(path).c_str());
}

void write_atomically(const std::filesystem::path& path, std::span<const std::string_view> pieces) {
  const Descriptor file(open_temporary(path));
  lock(file, path);
  const std::filesystem::path temporary = temporary_of(path);
  const FileSizeSignalBlocked blocked;
  const bool good = ftruncate(file, 0) == 0 &&
                    std::ranges::all_of(pieces, [&](auto piece) { return write_all(file, piece); }) &&
                    fsync(file) == 0 && rename(temporary.c_str(), path.c_str()) == 0;
  if (!good) {
    const int reason = errno;
    unlink(temporary.c_str());
    fail(path, reason);
  }
  // The new name is safe once the folder is on the disk, too.
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (const Descriptor parent(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); parent >= 0)
    fsync(parent);
}

void write_atomically(const std::filesystem::path& path, std::string_view content) {
  write_atomically(path, std::span(&content, 1));
}

}  // namespace gradus
