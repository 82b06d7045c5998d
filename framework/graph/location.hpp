#pragma once

#include <cstdint>
#include <source_location>
#include <string>

namespace gradus {

/// A place in the user's source.
struct Location {
  const char* file = "";
  std::uint32_t line = 0;

  Location() = default;
  Location(const std::source_location& where) : file(where.file_name()), line(where.line()) {}

  bool known() const { return line != 0; }
};

/// "model.cpp:12", without the folders; "" when unknown.
std::string to_string(const Location& where);

}  // namespace gradus
