#include "models/app/cli/print_text.hpp"

#include <unistd.h>

#include <string>

#include "models/data/printable.hpp"
#include "models/train/progress_text.hpp"

namespace gradus::cli {

namespace {

void write_all(std::string_view text, std::FILE* file) { std::fwrite(text.data(), 1, text.size(), file); }

}  // namespace

void print_text(std::string_view text, std::FILE* file) {
  if (text.starts_with(clear_line)) {
    write_all(clear_line, file);
    text.remove_prefix(std::string_view(clear_line).size());
  }
  write_all(printable_lines(text), file);
  std::fflush(file);
}

void print_data(std::string_view text) {
  if (isatty(STDOUT_FILENO) != 0)
    print_text(text, stdout);
  else
    write_all(text, stdout);
}

}  // namespace gradus::cli
