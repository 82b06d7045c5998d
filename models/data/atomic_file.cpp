#include "gradus/data/atomic_file.hpp"

#include "models/data/part_file.hpp"

namespace gradus {

namespace {
constexpr std::string_view temporary = ".tmp";
}  // namespace

void require_writable(const std::filesystem::path& path) {
  const PartFile part(path, temporary, PartFile::Busy::refuse);
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
