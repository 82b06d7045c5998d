#include "models/app/cli/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gradus/data/csv.hpp"
#include "models/app/cli/fetch/fetch.hpp"

namespace gradus::cli {

namespace {

struct OptionRow {
  std::string_view option;     // as the library calls it; with a value when that has a name of its own
  std::string_view name;       // as a person types it
  std::string_view does = {};  // the good of a whole command
  bool takes_list = false;
};

constexpr std::array<OptionRow, 47> option_rows{{{"activation=relu", "no --activation"},
                                                 {"batch", "--batch"},
                                                 {"checkpoint", "--checkpoint"},
                                                 {"checkpoint_steps", "--checkpoint-steps"},
                                                 {"class_weights=none", "no --class-weight"},
                                                 {"data", "--data"},
                                                 {"decimal", "--decimal"},
                                                 {"delimiter", "--delimiter"},
                                                 {"dropout=0", "no --dropout"},
                                                 {"epochs", "--epochs"},
                                                 {"exclude", "--exclude", {}, true},
                                                 {"fetch", "gradus fetch", "fetches them"},
                                                 {"format=dot", "--format dot"},
                                                 {"header=false", "--no-header"},
                                                 {"hidden", "--hidden"},
                                                 {"history", "--history"},
                                                 {"in_order=false", "no --in-order"},
                                                 {"init_scale", "--init-scale"},
                                                 {"json", "--json"},
                                                 {"memory", "--memory"},
                                                 {"missing", "--missing"},
                                                 {"model", "a file that 'gradus train mlp --save' wrote"},
                                                 {"na", "--na", {}, true},
                                                 {"names_are_numbers", "--header"},
                                                 {"normalization=", "no --norm"},
                                                 {"onnx", "--onnx"},
                                                 {"output", "--output"},
                                                 {"patience", "--patience"},
                                                 {"precision", "--precision"},
                                                 {"rate", "--rate"},
                                                 {"report_folder", "--out"},
                                                 {"resume", "--resume"},
                                                 {"save", "--save"},
                                                 {"seed", "--seed"},
                                                 {"standardize=true", "no --raw"},
                                                 {"stratify", "--stratify"},
                                                 {"stratify=false", "no --stratify"},
                                                 {"strict=false", "no --strict"},
                                                 {"svg", "--svg"},
                                                 {"target", "--target"},
                                                 {"task=classify", "--classify"},
                                                 {"task=regress", "--regress"},
                                                 {"tensorboard", "--tensorboard"},
                                                 {"text", "--text", {}, true},
                                                 {"thousands", "--thousands"},
                                                 {"validation_split", "--validation-split"},
                                                 {"weight", "--weight"}}};

const OptionRow* find_row(std::string_view option) {
  const auto* const row = std::ranges::find(option_rows, option, &OptionRow::option);
  return row != option_rows.end() ? row : nullptr;
}

// An option as a message names it. A command that this build does not have is no remedy.
std::string in_message(const std::string& option) {
  const OptionRow* const row = find_row(std::string_view(option).substr(0, option.find('=')));
  if (row == nullptr || row->does.empty()) return option_name(option);
  return can_fetch() ? fmt::format("'{}' {}", option_name(option), row->does) : "";
}

std::string shell_word(std::string_view word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+./,:%@";
  const bool is_plain =
      !word.empty() && word != "," && word.find_first_not_of(plain) == std::string_view::npos;
  if (is_plain) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string option_name(std::string_view option) {
  // A value may have line breaks, too.
  for (std::size_t end = option.find('\n'); end != std::string_view::npos; end = option.find('\n', end + 1)) {
    const std::string_view next = option.substr(end + 1);
    if (find_row(next.substr(0, next.find('='))) != nullptr)
      return option_name(option.substr(0, end)) + " " + option_name(next);
  }
  if (const OptionRow* const row = find_row(option)) return std::string(row->name);
  const std::size_t equals = option.find('=');
  const OptionRow* const row = find_row(option.substr(0, equals));
  if (equals == std::string_view::npos || row == nullptr) return {};
  // A value that begins as an option does must be joined to its own.
  const std::string_view text = option.substr(equals + 1);
  const std::string value = row->takes_list ? csv_field(text) : std::string(text);
  return std::string(row->name) + (value.starts_with('-') ? "=" : " ") + shell_word(value);
}

std::string with_options(std::string message, const std::vector<std::string>& options) {
  std::string names;
  for (const std::string& option : options)
    if (const std::string name = in_message(option); !name.empty())
      names += (names.empty() ? "" : ", ") + name;
  if (names.empty()) return message;
  while (message.ends_with('\n')) message.pop_back();
  return message + " (" + names + ")";
}

std::string shell_command(const std::vector<std::string>& words) {
  std::string command;
  for (const std::string& word : words) command += (command.empty() ? "" : " ") + shell_word(word);
  return command;
}

}  // namespace gradus::cli
