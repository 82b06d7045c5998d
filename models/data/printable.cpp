#include "models/data/printable.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/data/utf8.hpp"

namespace gradus {

namespace {

// Whether a character is for a terminal or for a text's layout, and not to be seen.
bool is_hidden(char32_t code) {
  const auto within = [code](char32_t first, char32_t last) { return first <= code && code <= last; };
  return code < 0x20 || within(0x7F, 0x9F) || code == 0x61C || within(0x200E, 0x200F) ||
         within(0x2028, 0x202E) || within(0x2060, 0x206F) || code == 0xFEFF || within(0xFFF9, 0xFFFB) ||
         within(0xE0000, 0xE007F);
}

// Appends the first character, and takes it off.
void move_first(std::string_view& text, std::string& shown, std::string_view kept) {
  const auto [bytes, code] = first_character(text);
  const std::string_view first = text.substr(0, std::max<std::size_t>(bytes, 1));
  if (bytes > 0 && (!is_hidden(code) || kept.find(first) != std::string_view::npos))
    shown += first;
  else
    for (const char c : first) shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  text.remove_prefix(first.size());
}

std::string printable_but(std::string_view text, std::string_view kept) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) move_first(text, shown, kept);
  return shown;
}

}  // namespace

std::string printable(std::string_view text) { return printable_but(text, ""); }

std::string printable_lines(std::string_view text) { return printable_but(text, "\n\t"); }

std::string shortened(std::string_view text, std::size_t most) {
  std::string line;
  for (std::size_t characters = 0; !text.empty(); ++characters) {
    if (characters == most) return line + "…";
    const std::size_t from = line.size();
    move_first(text, line, "\n\r\t");
    if (const char c = line[from]; c == '\n' || c == '\r' || c == '\t') line[from] = ' ';
  }
  return line;
}

}  // namespace gradus
