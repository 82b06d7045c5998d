#include "models/app/fetch/part_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "models/data/file_writing.hpp"

namespace gradus {

namespace {

// A writer before us may have renamed what we have opened, or removed it.
bool has_name(const struct stat& ours, const std::filesystem::path& name) {
  struct stat there {};
  return stat(name.c_str(), &there) == 0 && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

// 0, or the system's reason. Some file systems have no locks: two who fetch there at once may spoil the part,
// which is found by its sum.
int lock(int file) {
  while (flock(file, LOCK_EX) != 0)
    if (errno != EINTR) return errno == ENOLCK || errno == EOPNOTSUPP || errno == ENOSYS ? 0 : errno;
  return 0;
}

}  // namespace

PartFile::PartFile(std::filesystem::path path) : path_(std::move(path)), part_(path_) {
  part_ += ".part";
  std::error_code ignored;
  if (std::filesystem::is_directory(path_, ignored)) refuse_to_write(path_, EISDIR);
  constexpr mode_t for_all = 0666;
  for (;;) {
    file_ = open_file(part_, O_CREAT | O_RDWR | O_APPEND | O_NOFOLLOW, for_all);
    if (file_ < 0) refuse_to_write(part_, errno);
    struct stat ours {};
    const int unknown = fstat(file_, &ours) == 0 ? 0 : errno;
    if (unknown != 0 || !S_ISREG(ours.st_mode)) {
      close(file_);
      if (unknown != 0) refuse_to_write(part_, unknown);
      refuse_to_write(part_, "there is something of this name that is no file; remove it");
    }
    const int error = lock(file_);
    if (error == 0 && has_name(ours, part_)) return;
    close(file_);
    if (error != 0)
      refuse_to_write(part_, fmt::format("it cannot be locked: {}; name a folder of another file system",
                                         std::strerror(error)));
  }
}

PartFile::~PartFile() {
  if (!published_ && !kept_) unlink(part_.c_str());
  close(file_);
}

std::int64_t PartFile::size() const {
  struct stat status {};
  if (fstat(file_, &status) != 0) refuse_to_write(part_, errno);
  return static_cast<std::int64_t>(status.st_size);
}

void PartFile::clear() {
  if (ftruncate(file_, 0) != 0) refuse_to_write(path_, errno);
}

void PartFile::append(std::string_view bytes) {
  const int error = write_all(file_, bytes);
  if (error == 0) return;
  kept_ = false;  // it holds the room that is lacking
  refuse_to_write(path_, error);
}

void PartFile::publish() {
  int error = force_to_disk(file_);
  if (error == 0 && rename(part_.c_str(), path_.c_str()) != 0) error = errno;
  if (error != 0) refuse_to_write(path_, error);
  published_ = true;
  force_name_to_disk(path_);
}

}  // namespace gradus
