#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

/// Searches $PATH for a program; nothing when it is not installed. Error when it is not found, and a folder
/// could not be looked into.
std::optional<std::filesystem::path> find_program(std::string_view name);

/// The result of running a program.
struct Answer {
  int status = 0;      ///< 0 when all went well; 128 + the signal that killed it
  std::string output;  ///< its standard output
  std::string errors;  ///< its standard error
};

/// Runs a program on `input` and waits for its end: no shell, no files. Error when it cannot be started.
Answer run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                   std::string_view input);

}  // namespace gradus
