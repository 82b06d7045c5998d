#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// Writes a file as a whole or not at all: the pieces one after the other. They go into "<path>.tmp", which
/// is forced to the disk and then renamed, so that whoever is killed or runs out of space leaves the file
/// that was there. Error naming the file and the reason; also while another process is writing it.
void write_atomically(const std::filesystem::path& path, std::span<const std::string_view> pieces);
void write_atomically(const std::filesystem::path& path, std::string_view content);

/// Error when the file could not be written now, before work is done for it; leaves nothing behind.
void require_writable(const std::filesystem::path& path);

/// Makes the folder and those above it, unless it is there. OptionError about `option`, which named it, with
/// the system's reason when it cannot be made.
void make_folder(const std::filesystem::path& folder, const std::string& option);

/// Makes the folder, and tries whether a file of this name could be written into it. OptionError about
/// `option` otherwise.
void require_writable_folder(const std::filesystem::path& folder, std::string_view name,
                             const std::string& option);

}  // namespace gradus
