#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string_view>

#include "models/data/file_writing.hpp"

namespace gradus {

/// A file that is written as a whole or not at all. It has no name while it is written (or a random one,
/// where the file system has no nameless files) and gets its own by `publish`, in place of the file that was
/// there, whose mode it keeps. A symbolic link stays, and the file that it names is written. Devices, FIFOs
/// and the file that the standard output goes to are written directly. Of several writers the last to publish
/// wins. Every function throws Error naming the file and the reason.
class OutputFile {
 public:
  /// Looks whether it can be written. Error for a folder, a socket, and a file that is write-protected.
  explicit OutputFile(std::filesystem::path path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Writes at the end. Error when the disk is full, or a limit on the size of files is reached.
  void append(std::string_view bytes);
  /// Forces the content to the disk and gives the file its name.
  void publish();

 private:
  void find_target();
  void open_without_name();
  void open_directly();
  void take_mode() const;

  std::filesystem::path path_;         // as the caller says it
  std::filesystem::path target_;       // where links lead
  std::filesystem::path temporary_{};  // beside it, or about to be
  struct stat there_ {};               // the file that is to be replaced
  bool replaces_ = false;
  bool direct_ = false;
  bool has_temporary_ = false;  // or no name
  OpenFile file_;
};

}  // namespace gradus
