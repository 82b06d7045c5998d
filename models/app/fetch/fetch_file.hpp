#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "models/app/fetch/transfer.hpp"

namespace gradus {

/// A file, and how it is known to be the right one.
struct WantedFile {
  std::string name;             ///< on the mirrors and in the folder
  std::string sha256;           ///< of its contents, in hexadecimal
  std::int64_t most_bytes = 0;  ///< that it can have
  /// The SHA-256 of the contents of a file, or a text that no right file has; Error when it is damaged.
  std::function<std::string(const std::filesystem::path&)> sum = {};
};

/// The mirrors that files come from, and the folder that they go to.
struct FetchOptions {
  std::vector<std::string> mirrors;  ///< what addresses begin with, in the order in which they are tried
  std::filesystem::path folder;      ///< made if it is not there
  int stall_seconds = TransferOptions().stall_seconds;      ///< see TransferOptions
  int connect_seconds = TransferOptions().connect_seconds;  ///< see TransferOptions
  std::function<void(std::string_view)> print = {};         ///< a line for each file; may be empty
  /// Told of each mirror to which no connection could be made; may be empty.
  std::function<void(const std::string&)> unreachable = {};
};

/// Whether the contents of a file are those that are wanted.
bool is_right(const WantedFile& wanted, const std::filesystem::path& path);

/// Puts the file into the folder, unless the right one is there. It is written as "NAME.part" and renamed
/// once its sum is right: nothing else ever has its name. A transfer that is cut goes on where it ended, now
/// or in the next call, unless the disk is full: what has come is then removed; one process at a time fetches
/// a file, and others wait. Error with what each mirror answered when none has it, and when the folder cannot
/// be written. OptionError about "data" when the folder has a file of this name with other contents: only a
/// damaged one is replaced.
void fetch_file(const WantedFile& wanted, const FetchOptions& options);

}  // namespace gradus
