#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

/// The words of the command line, before the parser sees them.
namespace gradus::cli {

/// The most bytes that a value, but for a list, and a word of a list may have: those of a file's path.
constexpr std::size_t longest_value = 4096;

/// Error, which says what to type instead, for words that are probably not meant as the parser takes them: a
/// command or option that does not exist, an option without a value, with an empty one, with the next option
/// as its value, or given twice, and a flag with a value. The words are those behind the program's name.
/// Returns the command's full name, "gradus train mlp", for further messages.
std::string check_words(const CLI::App& app, const std::vector<std::string>& words);

/// The message, and the command by whose help the user goes on.
std::string with_help(const std::string& message, const std::string& command);

}  // namespace gradus::cli
