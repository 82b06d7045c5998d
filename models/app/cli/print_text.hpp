#pragma once

#include <cstdio>
#include <string_view>

/// Printing, for persons and of data.
namespace gradus::cli {

/// Prints lines for a person, at once. Names and values in them that come from files or the command line must
/// not get at the terminal: see `printable_lines`. A progress line may begin as `clear_line` does.
void print_text(std::string_view text, std::FILE* file);

/// Prints a table on the standard output: as it is, unless that is a terminal.
void print_data(std::string_view text);

}  // namespace gradus::cli
