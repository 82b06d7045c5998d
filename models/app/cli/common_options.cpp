#include "models/app/cli/common_options.hpp"

#include <utility>

#include "models/data/csv_scanner.hpp"
#include "models/data/number_text.hpp"

namespace gradus::cli {

CLI::Option* add_data(CLI::App* command, std::string& data) {
  return command->add_option(
      "--data", data, "Folder of the MNIST files (else $GRADUS_MNIST, ./data/mnist, ~/.cache/gradus/mnist)");
}

CLI::Option* add_list(CLI::App* command, const std::string& option, std::vector<std::string>& list,
                      const std::string& help) {
  return command->add_option_function<std::vector<std::string>>(
      option,
      [option, &list](const std::vector<std::string>& texts) {
        for (const std::string& text : texts) {
          CsvScanner scanner(text, ',');
          try {
            do list.emplace_back(trimmed(scanner.read_field()));
            while (scanner.pass_delimiter());
          } catch (const Error& error) {
            throw CLI::ValidationError(option, error.what());
          }
        }
      },
      help);
}

CLI::Option* add_output(CLI::App* command, const std::string& option, std::string& path,
                        const std::string& help) {
  return command->add_option(option, path, help)
      ->check(CLI::Validator(
          [](const std::string& text) {
            return text.empty() ? std::string("the name is empty; give one, or leave the option out")
                                : std::string();
          },
          ""));
}

void add_character(CLI::App* command, const std::string& option, std::function<void(char)> take,
                   const std::string& help, bool may_be_none) {
  command
      ->add_option_function<std::string>(
          option,
          [option, may_be_none, take = std::move(take)](const std::string& text) {
            const std::string one = text == "tab" || text == "\\t" ? "\t" : text == "space" ? " " : text;
            if (may_be_none && text == "none") return take('\0');
            if (one.size() != 1 || one == "\"" || one == "\n" || one == "\r" || one[0] < 0)
              throw CLI::ValidationError(option, "expected one character, tab or space, not '" + text + "'");
            take(one[0]);
          },
          help)
      ->take_last();
}

}  // namespace gradus::cli
