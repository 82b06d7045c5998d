#include "models/data/file_kind.hpp"

#include <array>
#include <fstream>

namespace gradus {

FileKind kind_of(std::string_view bytes) {
  if (bytes.starts_with("\x93NUMPY")) return FileKind::npy;
  // An archive begins with an entry, or with its end record when there is none.
  if (bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06")) return FileKind::npz;
  return FileKind::other;
}

FileKind kind_of(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return FileKind::other;
  std::array<char, 8> front{};
  std::ifstream file(path, std::ios::binary);
  file.read(front.data(), front.size());
  return kind_of(std::string_view(front.data(), static_cast<std::size_t>(file.gcount())));
}

}  // namespace gradus
