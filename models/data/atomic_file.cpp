#include "gradus/data/atomic_file.hpp"

#include <fmt/format.h>

#include <system_error>

#include "gradus/data/option_error.hpp"
#include "models/data/file_writing.hpp"
#include "models/data/output_file.hpp"

namespace gradus {

namespace {

// By inode where both are there: a file may have many names.
bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code error;
  if (std::filesystem::exists(a, error) && std::filesystem::exists(b, error))
    return std::filesystem::is_regular_file(a, error) && std::filesystem::equivalent(a, b, error);
  const auto full = [&](const std::filesystem::path& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(followed(path, error), error), error);
  };
  return full(a) == full(b);
}

}  // namespace

void require_writable(const std::filesystem::path& path) { const OutputFile file(path); }

void require_distinct(std::span<const NamedFile> files) {
  for (std::size_t i = 0; i < files.size(); ++i)
    for (std::size_t k = i + 1; k < files.size(); ++k) {
      const NamedFile &a = files[i], &b = files[k];
      if (!(a.written || b.written) || a.path.empty() || b.path.empty() || !is_same_file(a.path, b.path))
        continue;
      const std::string names =
          a.path == b.path ? a.path.string() : fmt::format("{} and {}", a.path.string(), b.path.string());
      throw OptionError({a.option, b.option},
                        fmt::format("{}: one file is named for two purposes, and one of them would be lost; "
                                    "name another",
                                    names));
    }
}

void make_folder(const std::filesystem::path& folder, const std::string& option) {
  std::error_code error, ignored;
  std::filesystem::create_directories(folder, error);
  if (std::filesystem::is_directory(folder, ignored)) return;
  if (std::filesystem::exists(folder, ignored))
    throw OptionError(
        {option}, fmt::format("{}: the folder cannot be made: there is a file of this name; name a folder",
                              folder.string()));
  throw OptionError({option},
                    fmt::format("{}: the folder cannot be made: {}; name another, or mend its permissions",
                                folder.string(), error.message()));
}

void require_writable_folder(const std::filesystem::path& folder, std::string_view name,
                             const std::string& option) {
  make_folder(folder, option);
  try {
    require_writable(folder / name);
  } catch (const Error& error) {
    throw OptionError({option}, error.what());
  }
}

void write_atomically(const std::filesystem::path& path, std::span<const std::string_view> pieces) {
  OutputFile file(path);
  for (const std::string_view piece : pieces) file.append(piece);
  file.publish();
}

void write_atomically(const std::filesystem::path& path, std::string_view content) {
  write_atomically(path, std::span(&content, 1));
}

}  // namespace gradus
