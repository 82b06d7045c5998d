#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// Writes a file as a whole or not at all: the pieces one after the other, forced to the disk before the file
/// gets its name, so that whoever is killed or runs out of space leaves the file that was there. Its mode is
/// kept, and so is a symbolic link to it; devices and FIFOs are written directly. Of several writers the last
/// one wins. Error naming the file and the reason; also for a file that is write-protected.
void write_atomically(const std::filesystem::path& path, std::span<const std::string_view> pieces);
void write_atomically(const std::filesystem::path& path, std::string_view content);

/// Error when the file could not be written now, before work is done for it; leaves nothing behind.
void require_writable(const std::filesystem::path& path);

/// A file of one call, and the option that names it; an empty path is none.
struct NamedFile {
  std::string option;          ///< as OptionError calls it
  std::filesystem::path path;  ///< or empty
  bool written = true;         ///< or read
};

/// OptionError when a file that is to be written is another file of the call, too, by whatever names: one of
/// them would be lost. Devices and FIFOs may be named twice.
void require_distinct(std::span<const NamedFile> files);

/// Makes the folder and those above it, unless it is there. OptionError about `option`, which named it, with
/// the system's reason when it cannot be made.
void make_folder(const std::filesystem::path& folder, const std::string& option);

/// Makes the folder, and tries whether a file of this name could be written into it. OptionError about
/// `option` otherwise.
void require_writable_folder(const std::filesystem::path& folder, std::string_view name,
                             const std::string& option);

}  // namespace gradus
