#include "models/data/part_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

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

[[noreturn]] void refuse_to_write(const std::filesystem::path& path, std::string_view reason) {
  throw Error(fmt::format("{}: cannot be written: {}", path.string(), reason));
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// A writer before us may have renamed what we have opened, or removed it.
bool has_name(int file, const std::filesystem::path& name) {
  struct stat ours {};
  struct stat there {};
  return fstat(file, &ours) == 0 && stat(name.c_str(), &there) == 0 && ours.st_ino == there.st_ino &&
         ours.st_dev == there.st_dev;
}

// 0, or the system's reason.
int lock(int file, PartFile::Busy busy) {
  const int how = busy == PartFile::Busy::wait ? LOCK_EX : LOCK_EX | LOCK_NB;
  while (flock(file, how) != 0)
    if (errno != EINTR) return errno;
  return 0;
}

}  // namespace

PartFile::PartFile(std::filesystem::path path, std::string_view extension, Busy busy)
    : path_(std::move(path)), part_(path_) {
  part_ += extension;
  std::error_code ignored;
  if (std::filesystem::is_directory(path_, ignored)) refuse_to_write(path_, std::strerror(EISDIR));
  constexpr mode_t for_all = 0666;
  for (;;) {
    file_ = open(part_.c_str(), O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, for_all);
    if (file_ < 0) refuse_to_write(path_, std::strerror(errno));
    const int error = lock(file_, busy);
    if (error == 0 && has_name(file_, part_)) return;
    close(file_);
    if (error != 0 && error != EWOULDBLOCK)
      refuse_to_write(path_, fmt::format("{} cannot be locked: {}; name a folder of another file system",
                                         part_.filename().string(), std::strerror(error)));
    if (error != 0 || busy == Busy::refuse)
      refuse_to_write(path_, "another process is writing it; give each a file of its own");
  }
}

PartFile::~PartFile() {
  if (!published_ && !kept_) unlink(part_.c_str());
  close(file_);
}

std::int64_t PartFile::size() const {
  struct stat status {};
  return fstat(file_, &status) == 0 ? static_cast<std::int64_t>(status.st_size) : 0;
}

void PartFile::clear() {
  if (ftruncate(file_, 0) != 0) fail(errno);
}

void PartFile::append(std::string_view bytes) {
  const FileSizeSignalBlocked blocked;
  if (write_all(file_, bytes)) return;
  const int error = errno;
  kept_ = false;  // it holds the room that is lacking
  fail(error);
}

void PartFile::publish() {
  const FileSizeSignalBlocked blocked;
  if (fsync(file_) != 0 || rename(part_.c_str(), path_.c_str()) != 0) fail(errno);
  published_ = true;
  // The new name is safe once the folder is on the disk, too.
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
  if (const int parent = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); parent >= 0) {
    fsync(parent);
    close(parent);
  }
}

void PartFile::fail(int error) const {
  const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  refuse_to_write(path_, fmt::format("{}{}", std::strerror(error),
                                     is_full ? "; make room there, or name another place" : ""));
}

}  // namespace gradus
