#pragma once

#include <csignal>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "gradus/base/public.hpp"

/// Shared by all that write files: system calls that are taken up again where a signal interrupts them, and
/// what is said where they fail.
namespace GRADUS_PUBLIC gradus {

/// Beyond RLIMIT_FSIZE a write is to fail, not to kill: while this lives, its signal is held back; it is
/// taken away if it came.
class FileSizeSignalBlocked {
 public:
  FileSizeSignalBlocked();
  ~FileSizeSignalBlocked();
  FileSizeSignalBlocked(const FileSizeSignalBlocked&) = delete;
  FileSizeSignalBlocked& operator=(const FileSizeSignalBlocked&) = delete;

 private:
  sigset_t signals_{};
  sigset_t before_{};
};

/// A descriptor that is closed with its owner; -1 for none.
class OpenFile {
 public:
  OpenFile() = default;
  /// The owner of a descriptor, or of -1.
  explicit OpenFile(int file) : file_(file) {}
  /// The descriptor changes its owner.
  OpenFile(OpenFile&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  /// Both change their owners.
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~OpenFile();

  /// The descriptor, or -1.
  int get() const { return file_; }
  /// Whether there is one.
  bool is_open() const { return file_ >= 0; }

 private:
  int file_ = -1;
};

/// Opens as open(2) does. The descriptor, or -1 with errno.
int open_file(const std::filesystem::path& path, int flags, mode_t mode = 0);

/// The file that a name stands for: where symbolic links lead, also to what is not there yet. `error` of the
/// system, as for links in a circle.
std::filesystem::path followed(std::filesystem::path path, std::error_code& error);

/// Writes all bytes. 0, or the system's reason.
int write_all(int file, std::string_view bytes);

/// Adds to the end of a file, which is made if it is not there. Error that names the file and the reason.
void append_to_file(const std::filesystem::path& path, std::string_view bytes);

/// Forces what is written to the disk. 0, or the system's reason; also 0 for what is on none.
int force_to_disk(int file);

/// Forces the name of a file that is written to the disk, with its folder. Error that says what may be lost.
void force_name_to_disk(const std::filesystem::path& path);

/// Error that names the file and the reason, with a remedy where the disk is full.
[[noreturn]] void refuse_to_write(const std::filesystem::path& path, std::string_view reason);
[[noreturn]] void refuse_to_write(const std::filesystem::path& path, int error);

}  // namespace gradus
