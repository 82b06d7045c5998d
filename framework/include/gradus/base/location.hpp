#pragma once

#include <cstdint>
#include <string>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// A place in the user's source.
struct Location {
  const char* file = "";   ///< without its folder
  std::uint32_t line = 0;  ///< from 1 on; 0: unknown

  /// As a default argument: the caller's place. (std::source_location needs clang 16; these builtins serve
  /// both compilers.)
  static constexpr Location current(const char* file = __builtin_FILE(),
                                    std::uint32_t line = __builtin_LINE()) {
    return {file, line};
  }

  /// Whether there is a place at all.
  bool known() const { return line != 0; }
};

/// "model.cpp:12", without the folders; "" when unknown.
std::string to_string(const Location& where);

}  // namespace gradus
