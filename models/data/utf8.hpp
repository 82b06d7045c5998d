#pragma once

#include <cstddef>
#include <string_view>

namespace gradus {

/// The mark that some programs put before a text to say that it is UTF-8.
inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// A character at the front of a text.
struct Utf8Character {
  std::size_t bytes;  ///< that it has there; 0 when what stands there is no UTF-8
  char32_t code;
};
/// The first character of a text that is not empty: no overlong forms, no surrogates.
Utf8Character first_character(std::string_view text);

/// Whether a text is well-formed UTF-8.
bool is_utf8(std::string_view text);

}  // namespace gradus
