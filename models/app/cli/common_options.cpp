#include "models/app/cli/common_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "models/app/cli/number_option.hpp"
#include "models/app/cli/words.hpp"
#include "models/data/csv_scanner.hpp"
#include "models/data/near_name.hpp"
#include "models/data/number_text.hpp"
#include "models/data/printable.hpp"

namespace gradus::cli {

CLI::Validator one_of(std::vector<std::string> words) {
  const std::string listed = fmt::format("{{{}}}", fmt::join(words, ","));
  return {[words = std::move(words)](const std::string& text) {
            if (std::ranges::find(words, text) != words.end()) return std::string();
            return fmt::format("expected {}, not '{}'{}", fmt::join(words, " or "), shortened(text),
                               did_you_mean(text, words));
          },
          listed};
}

CLI::Option* add_memory(CLI::App* command, std::size_t& bytes) {
  return command
      ->add_option_function<std::string>(
          "--memory",
          [&bytes](const std::string& text) {
            constexpr std::string_view units = "KMG";
            const std::size_t unit = text.empty() ? std::string_view::npos : units.find(text.back());
            const bool has_unit = unit != std::string_view::npos;
            constexpr std::int64_t most = std::int64_t{1} << 30;
            const std::size_t shift = has_unit ? 10 * (unit + 1) : 0;
            const auto number =
                number_from<std::int64_t>("--memory", has_unit ? text.substr(0, text.size() - 1) : text,
                                          {1, has_unit ? most : most << 30});
            bytes = static_cast<std::size_t>(number) << shift;
          },
          "The most memory that a file, a table or a model may take, as 500M or 2G (default: the machine's)")
      ->type_name("SIZE");
}

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
            do {
              const std::string& item = list.emplace_back(trimmed(scanner.read_field()));
              if (item.size() > longest_value)
                throw Error(
                    fmt::format("a name in it has {} bytes; it may have {}", item.size(), longest_value));
            } while (scanner.pass_delimiter());
          } catch (const Error& error) {
            throw CLI::ValidationError(option, error.what());
          }
        }
      },
      help);
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
              throw CLI::ValidationError(option,
                                         fmt::format("expected one character, tab or space{}, not '{}'",
                                                     may_be_none ? ", or none" : "", shortened(text)));
            take(one[0]);
          },
          help)
      ->take_last();
}

}  // namespace gradus::cli
