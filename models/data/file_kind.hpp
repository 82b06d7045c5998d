#pragma once

#include <filesystem>
#include <string_view>

namespace gradus {

/// The format of a file, which is recognised by its first bytes and not by its name.
enum class FileKind { npy, npz, other };

/// The format of a file with these contents; the first 8 bytes are enough.
FileKind kind_of(std::string_view bytes);
/// The format of a file. `other` also for a file that cannot be read: opening it will report the error.
FileKind kind_of(const std::filesystem::path& path);

}  // namespace gradus
