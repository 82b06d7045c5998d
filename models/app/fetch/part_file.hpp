#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// A file on its way: it is written under the name "<path>.part", which one process at a time has by a lock,
/// and gets its own name when it is complete. Where it is given up, it is removed, unless it is kept for the
/// next who wants to go on with it. Every function throws Error naming the file and the reason.
class PartFile {
 public:
  /// Opens the part as it is, or creates an empty one; waits until another process that has it has ended.
  explicit PartFile(std::filesystem::path path);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  /// The name under which it is written.
  const std::filesystem::path& part() const { return part_; }
  /// How many bytes it has.
  std::int64_t size() const;

  /// Removes all content.
  void clear();
  /// Writes at the end. Error when the disk is full, or a limit on the size of files is reached; the part is
  /// then not kept.
  void append(std::string_view bytes);
  /// The part stays if this object ends without `publish`, also when that one fails.
  void keep() { kept_ = true; }
  /// Forces the content to the disk and gives the file its name, in place of what was there.
  void publish();

 private:
  std::filesystem::path path_;
  std::filesystem::path part_;
  int file_ = -1;
  bool kept_ = false;
  bool published_ = false;
};

}  // namespace gradus
