#pragma once

#include <cstdint>
#include <string>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// A place in the user's source.
struct Location {
  const char* file = "";   ///< without its folder
  std::uint32_t line = 0;  ///< from 1 on; 0: unknown

  /// As a default argument: the caller's place; an unknown one if the caller is a header of the standard
  /// library, such as that of std::transform or std::make_unique, or of gradus. (std::source_location needs
  /// clang 16; these builtins serve both compilers, which look into the file's name while they compile.)
  static Location current(const char* file = __builtin_FILE(), std::uint32_t line = __builtin_LINE()) {
    const bool is_header = __builtin_strstr(file, "/include/c++/") != nullptr ||
                           __builtin_strstr(file, "/include/gradus/") != nullptr;
    return is_header ? Location() : Location{file, line};
  }

  /// Whether there is a place at all.
  bool known() const { return line != 0; }
};

/// "model.cpp:12", without the folders; "an unknown place" when it is one.
std::string to_string(const Location& where);

}  // namespace gradus
