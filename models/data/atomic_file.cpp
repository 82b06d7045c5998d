#include "gradus/data/atomic_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include "gradus/data/option_error.hpp"
#include "models/data/file_writing.hpp"
#include "models/data/output_file.hpp"

namespace gradus {

namespace {

namespace fs = std::filesystem;

// Empty where there is no file of this name. Error where nobody can tell.
std::optional<struct stat> status_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) return status;
  // If a part of the name is no folder, or may not be looked into, whoever opens the file will tell.
  if (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP) return std::nullopt;
  throw Error(fmt::format("{}: nothing can be found out about it: {}", path.string(), std::strerror(errno)));
}

// By inode where both are there: a file may have many names.
bool is_same_file(const fs::path& a, const fs::path& b) {
  const auto first = status_of(a), second = status_of(b);
  if (first && second)
    return S_ISREG(first->st_mode) && first->st_dev == second->st_dev && first->st_ino == second->st_ino;
  std::error_code error;
  // A name that cannot be followed is another's only if it is spelled the same.
  const auto full = [&](const fs::path& path) {
    fs::path found = fs::weakly_canonical(fs::absolute(followed(path, error), error), error);
    return error ? path : found;
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
  std::error_code error;
  fs::create_directories(folder, error);
  const auto status = status_of(folder);
  if (status && S_ISDIR(status->st_mode)) return;
  if (status)
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
