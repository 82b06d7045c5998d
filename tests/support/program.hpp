#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "tests/support/folder.hpp"

namespace gradus::test {

/// The outcome of a program that ran.
struct Ran {
  int status;          ///< that it exited with
  std::string output;  ///< both streams
};

/// Runs a command by the shell.
inline Ran run_command(const std::string& command) {
  std::FILE* pipe = popen(("exec 2>&1; " + command).c_str(), "r");
  std::string output;
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, n);
  return {WEXITSTATUS(pclose(pipe)), output};
}

/// Runs the program gradus by the shell; `before` is a command that comes first, or settings of the
/// environment.
inline Ran run_gradus(const std::string& arguments, const std::string& before = "") {
  return run_command(before + " '" GRADUS_PROGRAM "' " + arguments);
}

/// A test of the program in a folder of its own, where it runs, so that names are short.
class ProgramTest : public FolderTest {
 protected:
  Ran run(const std::string& arguments) const {
    return run_gradus(arguments, "cd '" + folder_.string() + "' &&");
  }
};

}  // namespace gradus::test
