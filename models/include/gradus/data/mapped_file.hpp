#pragma once

#include <filesystem>
#include <string_view>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// A file's bytes, mapped into memory to be read: only what is looked at is read from the disk, and the file
/// may be larger than the memory. It must not become shorter meanwhile: looking at what is gone ends the
/// program by SIGBUS, as with every mapping.
class MappedFile {
 public:
  /// Error, beginning with `what` and the path, when it is missing, no regular file, or unreadable.
  MappedFile(const std::filesystem::path& path, std::string_view what);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// All of it.
  std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
};

}  // namespace gradus
