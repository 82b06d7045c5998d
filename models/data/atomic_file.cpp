#include "gradus/data/atomic_file.hpp"

#include <fmt/format.h>

#include <system_error>

#include "gradus/data/option_error.hpp"
#include "models/data/part_file.hpp"

namespace gradus {

namespace {
constexpr std::string_view temporary = ".tmp";
}  // namespace

void require_writable(const std::filesystem::path& path) {
  const PartFile part(path, temporary, PartFile::Busy::refuse);
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
  PartFile part(path, temporary, PartFile::Busy::refuse);
  part.clear();
  for (const std::string_view piece : pieces) part.append(piece);
  part.publish();
}

void write_atomically(const std::filesystem::path& path, std::string_view content) {
  write_atomically(path, std::span(&content, 1));
}

}  // namespace gradus
