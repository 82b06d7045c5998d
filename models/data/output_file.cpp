#include "models/data/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <random>
#include <utility>

#include "gradus/base/error.hpp"
#include "models/data/file_writing.hpp"

namespace gradus {

namespace {

namespace fs = std::filesystem;

constexpr mode_t for_all = 0666;
constexpr int most_names = 100;

fs::path beside(const fs::path& target) {
  std::random_device random;
  const std::uint64_t number = static_cast<std::uint64_t>(random()) << 32U | random();
  return target.parent_path() / fmt::format(".gradus-{:016x}", number);
}

fs::path folder_of(const fs::path& target) { return target.has_parent_path() ? target.parent_path() : "."; }

std::string descriptor_name(int file) { return fmt::format("/proc/self/fd/{}", file); }

bool is_same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// A file that a shell has opened for us is not to be replaced behind its back.
bool is_standard_output(const struct stat& file) {
  struct stat ours {};
  return (fstat(STDOUT_FILENO, &ours) == 0 && is_same(ours, file)) ||
         (fstat(STDERR_FILENO, &ours) == 0 && is_same(ours, file));
}

}  // namespace

OutputFile::OutputFile(fs::path path) : path_(std::move(path)) {
  find_target();
  if (!direct_) open_without_name();
}

void OutputFile::find_target() {
  if (path_.empty()) refuse_to_write("''", "the name is empty");
  replaces_ = stat(path_.c_str(), &there_) == 0;
  if (!replaces_ && errno != ENOENT) refuse_to_write(path_, errno);
  if (replaces_) {
    if (S_ISDIR(there_.st_mode)) refuse_to_write(path_, EISDIR);
    if (S_ISSOCK(there_.st_mode)) refuse_to_write(path_, "it is a socket; name a file");
    direct_ = !S_ISREG(there_.st_mode) || is_standard_output(there_);
    constexpr mode_t writable = 0222;
    const bool is_protected = (there_.st_mode & writable) == 0;
    if (is_protected || access(path_.c_str(), W_OK) != 0)
      refuse_to_write(path_, is_protected ? "it is write-protected; allow writing, or name another file"
                                          : std::strerror(errno));
  }
  std::error_code error;
  target_ = direct_ ? path_ : followed(path_, error);
  if (error) refuse_to_write(path_, error.value());
}

void OutputFile::open_without_name() {
  const FileSizeSignalBlocked blocked;
  if (!target_.has_filename()) refuse_to_write(path_, EISDIR);
  file_ = OpenFile(open_file(folder_of(target_), O_TMPFILE | O_WRONLY, for_all));
  // It can be named later only by way of /proc.
  if (file_.is_open() && access(descriptor_name(file_.get()).c_str(), F_OK) != 0) file_ = OpenFile();
  for (int i = 0; !file_.is_open() && i < most_names; ++i) {
    temporary_ = beside(target_);
    file_ = OpenFile(open_file(temporary_, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, for_all));
    has_temporary_ = file_.is_open();
    if (!has_temporary_ && errno != EEXIST) break;
  }
  if (!file_.is_open()) refuse_to_write(path_, errno);
}

void OutputFile::open_directly() {
  if (file_.is_open()) return;
  file_ = OpenFile(open_file(path_, O_WRONLY | O_APPEND | O_NOCTTY));
  if (!file_.is_open()) refuse_to_write(path_, errno);
}

OutputFile::~OutputFile() {
  if (has_temporary_) unlink(temporary_.c_str());
}

void OutputFile::append(std::string_view bytes) {
  if (direct_) open_directly();
  if (const int error = write_all(file_.get(), bytes)) refuse_to_write(path_, error);
}

void OutputFile::take_mode() const {
  if (!replaces_) return;
  constexpr mode_t permissions = 07777;
  // Another's file stays another's, where we may give it away.
  const bool is_of_same = (there_.st_uid == geteuid() && there_.st_gid == getegid()) ||
                          fchown(file_.get(), there_.st_uid, there_.st_gid) == 0;
  constexpr mode_t for_whom = S_ISUID | S_ISGID;
  const mode_t mode = there_.st_mode & permissions;
  if (fchmod(file_.get(), is_of_same ? mode : mode & ~for_whom) != 0) refuse_to_write(path_, errno);
}

void OutputFile::publish() {
  if (direct_) {
    open_directly();  // also where nothing was appended
    if (const int error = force_to_disk(file_.get())) refuse_to_write(path_, error);
    return;
  }
  take_mode();
  if (const int error = force_to_disk(file_.get())) refuse_to_write(path_, error);
  const std::string file = descriptor_name(file_.get());
  for (int i = 0; !has_temporary_ && i < most_names; ++i) {
    temporary_ = beside(target_);
    has_temporary_ = linkat(AT_FDCWD, file.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) == 0;
    if (!has_temporary_ && errno != EEXIST) break;
  }
  if (!has_temporary_ || rename(temporary_.c_str(), target_.c_str()) != 0) refuse_to_write(path_, errno);
  has_temporary_ = false;
  force_name_to_disk(target_);
}

}  // namespace gradus
