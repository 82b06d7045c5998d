#include "gradus/base/location.hpp"

#include <string_view>

namespace gradus {

std::string to_string(const Location& where) {
  if (!where.known()) return "an unknown place";
  const std::string_view path = where.file;
  return std::string(path.substr(path.rfind('/') + 1)) + ":" + std::to_string(where.line);
}

}  // namespace gradus
