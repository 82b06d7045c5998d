#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// The format of a file, which is recognised by its first bytes and not by its name.
enum class FileKind { npy, npz, other };

/// The format of a file with these contents; the first 8 bytes are enough.
FileKind kind_of(std::string_view bytes);
/// The format of a file. `other` also for a file that cannot be read: opening it will report the error.
FileKind kind_of(const std::filesystem::path& path);

/// What a file of another kind is, and how to get one that can be read out of it: "it is compressed (gzip);
/// unpack it". The beginning of its contents is enough. Empty for contents that are of none of these kinds.
std::string_view foreign_kind(std::string_view bytes);
/// The same of a zip archive, by the names in it.
std::string_view foreign_archive(const std::vector<std::string_view>& names);
/// Whether text in UTF-16 begins so, with a byte order mark or without.
bool is_utf16(std::string_view bytes);

}  // namespace gradus
