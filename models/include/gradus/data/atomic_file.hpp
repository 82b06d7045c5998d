#pragma once

#include <filesystem>
#include <span>
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

}  // namespace gradus
