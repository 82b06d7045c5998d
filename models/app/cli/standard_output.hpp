#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace gradus::cli {

/// Adds to what is written to the standard output: once there is much of it, and by `flush_output`. Where it
/// cannot be written, the command goes on, for its files' sake, and `output_error` tells at the end.
void print_text(std::string_view text);

/// The same with fmt's placeholders.
template <class... Args> void print(fmt::format_string<Args...> text, Args&&... args) {
  print_text(fmt::format(text, std::forward<Args>(args)...));
}

/// Writes what has been printed so far.
void flush_output();

/// 0, or the system's reason why some of the output could not be written.
int output_error();

}  // namespace gradus::cli
