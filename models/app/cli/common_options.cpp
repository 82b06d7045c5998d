#include "models/app/cli/common_options.hpp"

#include <utility>

namespace gradus::cli {

CLI::Option* add_data(CLI::App* command, std::string& data) {
  return command->add_option(
      "--data", data, "Folder of the MNIST files (else $GRADUS_MNIST, ./data/mnist, ~/.cache/gradus/mnist)");
}

void add_character(CLI::App* command, const std::string& option, std::function<void(char)> take,
                   const std::string& help) {
  command->add_option_function<std::string>(
      option,
      [option, take = std::move(take)](const std::string& text) {
        const std::string one = text == "tab" || text == "\\t" ? "\t" : text == "space" ? " " : text;
        if (one.size() != 1 || one == "\"" || one == "\n" || one[0] < 0)
          throw CLI::ValidationError(option, "expected one character, tab or space, not '" + text + "'");
        take(one[0]);
      },
      help);
}

}  // namespace gradus::cli
