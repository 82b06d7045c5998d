#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What the library's options are called on the command line.
namespace gradus::cli {

/// What a person types for an option of the library's (see OptionError): "--epochs" for "epochs",
/// "--no-header" for "header=false", "--text x" for "text=x". Empty when the program has no such option.
std::string option_name(std::string_view option);

/// A message, and in parentheses behind it those of the options that the program has.
std::string with_options(std::string message, const std::vector<std::string>& options);

/// A command for a shell, with quotes around the words that need them.
std::string shell_command(const std::vector<std::string>& words);

}  // namespace gradus::cli
