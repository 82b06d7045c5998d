#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace gradus {

/// A regular file that is open to be read.
class InputFile {
 public:
  /// Error, beginning with `what` and the path, when it is missing, no regular file, or unreadable. Waits for
  /// nobody who might write into a FIFO.
  InputFile(const std::filesystem::path& path, std::string_view what);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  int descriptor() const { return file_; }
  /// Bytes, when it was opened.
  std::size_t size() const { return size_; }
  /// Error, beginning with `what` and the path.
  [[noreturn]] void fail(std::string_view why) const;
  /// The same with the system's reason.
  [[noreturn]] void fail(int error) const;

 private:
  std::string place_;
  int file_ = -1;
  std::size_t size_ = 0;
};

}  // namespace gradus
