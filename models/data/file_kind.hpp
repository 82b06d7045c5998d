#pragma once

#include <filesystem>
#include <string_view>

namespace gradus {

/// What a file is by its first bytes, whatever its name.
enum class FileKind { npy, npz, other };

/// Of a file's bytes, or the first of them.
FileKind kind_of(std::string_view bytes);
/// Of a file; `other`, too, when it cannot be read: who opens it next says why.
FileKind kind_of(const std::filesystem::path& path);

}  // namespace gradus
