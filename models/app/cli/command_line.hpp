#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The names of the library's options on the command line.
namespace gradus::cli {

/// The command-line name of an option of the library (see OptionError): "--epochs" for "epochs",
/// "--no-header" for "header=false", "--text x" for "text=x",
/// "--na ? --missing drop" for "na=?\nmissing=drop". Empty when the program has no such option.
std::string option_name(std::string_view option);

/// The message, followed by the command-line names of the options in parentheses.
std::string with_options(std::string message, const std::vector<std::string>& options);

/// The words as one shell command. Those with special characters are quoted.
std::string shell_command(const std::vector<std::string>& words);

}  // namespace gradus::cli
