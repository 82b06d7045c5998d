#include "models/app/cli/standard_output.hpp"

#include <unistd.h>

#include <string>

#include "models/data/file_writing.hpp"
#include "models/data/printable.hpp"
#include "models/train/progress_text.hpp"

namespace gradus::cli {

namespace {

// Not the C library's stdout: that one drops what a signal has interrupted, and forgets why writing failed.
struct StandardOutput {
  std::string waiting;
  int error = 0;
};

StandardOutput& standard_output() {
  static StandardOutput output;
  return output;
}

void add(std::string_view text) {
  constexpr std::size_t much = 1 << 16;
  StandardOutput& output = standard_output();
  if (output.error != 0) return;
  output.waiting += text;
  if (output.waiting.size() >= much) flush_output();
}

}  // namespace

void print_text(std::string_view text) {
  if (text.starts_with(clear_line)) {
    add(clear_line);
    text.remove_prefix(std::string_view(clear_line).size());
  }
  add(printable_lines(text));
}

void print_data(std::string_view text) {
  if (isatty(STDOUT_FILENO) != 0)
    print_text(text);
  else
    add(text);
}

void flush_output() {
  StandardOutput& output = standard_output();
  if (output.error == 0) output.error = write_all(STDOUT_FILENO, output.waiting);
  output.waiting.clear();
}

int output_error() { return standard_output().error; }

void print_note(std::string_view text) { write_all(STDERR_FILENO, printable_lines(text)); }

}  // namespace gradus::cli
