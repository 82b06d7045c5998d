#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

/// The standard output and the standard error of the program.
namespace gradus::cli {

/// Adds lines for a person to what is written to the standard output: once there is much of it, and by
/// `flush_output`. Names and values in them that come from files or the command line must not get at the
/// terminal: see `printable_lines`. A progress line may begin as `clear_line` does. Where nothing can be
/// written, the command goes on, for its files' sake, and `output_error` tells at the end.
void print_text(std::string_view text);

/// The same with fmt's placeholders.
template <class... Args> void print(fmt::format_string<Args...> text, Args&&... args) {
  print_text(fmt::format(text, std::forward<Args>(args)...));
}

/// Adds a table: as it is, unless the standard output is a terminal.
void print_data(std::string_view text);

/// Writes what has been printed so far.
void flush_output();

/// 0, or the system's reason why some of the output could not be written.
int output_error();

/// Writes lines for a person to the standard error, at once.
void print_note(std::string_view text);

}  // namespace gradus::cli
