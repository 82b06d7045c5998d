#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "gradus/base/public.hpp"

/// Names and values that files and users give, as a terminal or a page may show them.
namespace GRADUS_PUBLIC gradus {

/// The text with an escape, of a backslash, an x and two digits, for each byte that would not be shown but
/// obeyed, or misread: bytes of control characters, of marks that turn the direction of writing or are not
/// seen, and bytes that are no UTF-8.
std::string printable(std::string_view text);

/// The same, of a text that has lines and tabulators of its own.
std::string printable_lines(std::string_view text);

/// A name or a value for a message: in one line, printable, and cut with "…" after so many characters.
std::string shortened(std::string_view text, std::size_t most = 64);

}  // namespace gradus
