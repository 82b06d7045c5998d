#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "gradus/data/option_error.hpp"
#include "gradus/train/run.hpp"
#include "models/app/cli/command_line.hpp"
#include "models/app/cli/commands.hpp"
#include "models/app/cli/standard_output.hpp"
#include "models/app/cli/stop_signals.hpp"
#include "models/data/file_writing.hpp"
#include "models/data/printable.hpp"

namespace {

using namespace gradus::cli;

// Where the caller has closed one of them, the first file that is opened would be taken for it. It is opened
// so that using it fails.
void hold_standard_files() {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(file, F_GETFD) < 0) open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

// The status tells even where nobody can be told why. Needs no memory.
int refused(std::string_view why) {
  flush_output();
  for (const std::string_view piece : {std::string_view("gradus: "), why, std::string_view("\n")})
    gradus::write_all(STDERR_FILENO, piece);
  return 1;
}

// Fails where the standard output, or a part of it, could not be written.
int checked_output(int status) {
  flush_output();
  if (output_error() == 0) return status;
  return refused(fmt::format("the standard output cannot be written: {}", std::strerror(output_error())));
}

int run_or_refuse(int argc, char** argv) {
  const auto refused_text = [](const std::string& why) { return refused(gradus::printable_lines(why)); };
  try {
    CommandLine line(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
    return checked_output(line.parse()());
  } catch (const gradus::Interrupted& error) {
    refused_text(with_options(error.what(), error.options()));
    constexpr int by_signal = 128;  // as shells count
    return by_signal + StopSignals::received();
  } catch (const gradus::OptionError& error) {
    return refused_text(with_options(error.what(), error.options()));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return refused_text(error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_files();
  try {
    return run_or_refuse(argc, argv);
  } catch (const std::bad_alloc&) {  // also one of an error's own words
    return refused(
        "memory ran out; allow more (--memory) or free some, or take smaller batches or less data");
  }
}
