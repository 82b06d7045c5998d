#pragma once

#include <filesystem>
#include <string_view>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// A file's bytes, copied into memory: what happens to the file afterwards is of no account. (Those of a
/// mapped file are the file's own, see MappedFile.)
class FileContents {
 public:
  /// Error, beginning with `what` and the path, when it is missing, no regular file, unreadable, larger than
  /// the memory, or becomes shorter while it is read.
  FileContents(const std::filesystem::path& path, std::string_view what);
  ~FileContents();
  FileContents(const FileContents&) = delete;
  FileContents& operator=(const FileContents&) = delete;

  /// All of it.
  std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
};

}  // namespace gradus
