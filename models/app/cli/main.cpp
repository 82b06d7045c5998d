#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "gradus/data/option_error.hpp"
#include "gradus/train/run.hpp"
#include "models/app/cli/command_line.hpp"
#include "models/app/cli/commands.hpp"
#include "models/app/cli/print_text.hpp"
#include "models/app/cli/stop_signals.hpp"

namespace {

using namespace gradus::cli;

// Where the caller has closed one of them, the first file that is opened would be taken for it. It is opened
// so that using it fails.
void hold_standard_files() {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(file, F_GETFD) < 0) open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

// The status tells even where nobody can be told why.
int refused(const std::string& why) {
  std::fflush(stdout);
  print_text(fmt::format("gradus: {}\n", why), stderr);
  return 1;
}

// Fails where the standard output, or a part of it, could not be written.
int checked_output(int status) {
  const bool failed_before = std::ferror(stdout) != 0;
  errno = 0;
  if (std::fflush(stdout) == 0 && !failed_before) return status;
  return refused(fmt::format("the standard output cannot be written{}",
                             errno == 0 ? "" : fmt::format(": {}", std::strerror(errno))));
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_files();
  try {
    CommandLine line(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
    return checked_output(line.parse()());
  } catch (const gradus::Interrupted& error) {
    refused(with_options(error.what(), error.options()));
    constexpr int by_signal = 128;  // as shells count
    return by_signal + StopSignals::received();
  } catch (const gradus::OptionError& error) {
    return refused(with_options(error.what(), error.options()));
  } catch (const std::exception& error) {
    return refused(error.what());
  }
}
