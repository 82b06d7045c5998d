#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/folder.hpp"

/// The texts of errors, as the sources have them.
namespace gradus::test {

struct ErrorText {
  std::string file;                ///< its name, without folders
  std::string text;                ///< all literals of the throw, with "{}" between them
  std::vector<std::string> parts;  ///< what a message says literally, between two values
};

/// The string literals up to the parenthesis that closes the one open at `at`; adjacent ones are one.
inline std::vector<std::string> literals_in_parentheses(std::string_view code, std::size_t at) {
  std::vector<std::string> literals;
  bool adjacent = false;
  for (int depth = 1; depth > 0 && at < code.size(); ++at) {
    if (code[at] == '"') {
      if (!adjacent) literals.emplace_back();
      for (++at; code[at] != '"'; ++at) {
        if (code[at] == '\\') ++at;
        literals.back() += code[at];
      }
      adjacent = true;
    } else if (code[at] != ' ' && code[at] != '\n') {
      adjacent = false;
      depth += code[at] == '(' ? 1 : code[at] == ')' ? -1 : 0;
    }
  }
  return literals;
}

/// The parts of a format string between its fields that are long enough to know an error by.
inline std::vector<std::string> parts_between_fields(std::string_view format) {
  constexpr std::size_t long_enough = 8;
  std::vector<std::string> parts{""};
  for (std::size_t at = 0; at < format.size(); ++at) {
    const std::string_view rest = format.substr(at);
    if (rest.starts_with("{}"))
      parts.emplace_back(), ++at;
    else
      parts.back() += rest.front(), at += rest.starts_with("{{") || rest.starts_with("}}") ? 1 : 0;
  }
  std::erase_if(parts, [](const std::string& part) { return part.size() < long_enough; });
  return parts;
}

/// The texts of all errors that the sources in a folder of the project throw, by themselves or by one of the
/// functions that do: whatever `fail`, and the checks of settings, are handed as literals.
inline std::vector<ErrorText> error_texts(const std::filesystem::path& folder) {
  std::vector<ErrorText> texts;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(GRADUS_SOURCE_DIR / folder)) {
    if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
    const std::string code = contents(entry.path());
    for (const std::string_view call : {"throw Error(", "fail(", "fail_of(", "check_setting(", "positive("})
      for (std::size_t at = 0; (at = code.find(call, at)) != std::string::npos; at += call.size()) {
        std::string text;
        for (const std::string& literal : literals_in_parentheses(code, at + call.size()))
          text += (text.empty() ? "" : "{}") + literal;
        texts.push_back({entry.path().filename().string(), text, parts_between_fields(text)});
      }
  }
  return texts;
}

}  // namespace gradus::test
