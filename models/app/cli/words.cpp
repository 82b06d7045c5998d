#include "models/app/cli/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "gradus/base/error.hpp"
#include "models/data/near_name.hpp"
#include "models/data/printable.hpp"

namespace gradus::cli {

namespace {

std::string full_name(const CLI::App& command) {
  std::string name = command.get_name();
  for (const CLI::App* above = command.get_parent(); above != nullptr; above = above->get_parent())
    name.insert(0, above->get_name() + " ");
  return name;
}

bool is_list(const CLI::Option& option) { return option.get_items_expected_max() > 1; }
bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

// Whether a word is an option, rightly spelled or not; "-1" is a number, and "-" a file or a sign.
bool is_option(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && word != "--" && !(word[1] >= '0' && word[1] <= '9');
}

// Goes through the words as the parser will.
class Words {
 public:
  Words(const CLI::App& app, const std::vector<std::string>& words) : command_(&app), words_(words) {}

  std::string check() {
    bool only_values = false;
    while (at_ < words_.size()) {
      const std::string& word = words_[at_++];
      if (!only_values && word == "--")
        only_values = true;
      else if (!only_values && is_option(word)) {
        if (!check_option(word)) break;
      } else if (!only_values && enters(word))
        continue;
      else
        check_argument(word);
    }
    return full_name(*command_);
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(with_help(why, full_name(*command_)));
  }

  // Null when there is none. (CLI11's own search takes memory and, being noexcept, ends the program when
  // there is none.)
  const CLI::Option* find(const std::string& name) const {
    for (const CLI::Option* each : command_->get_options()) {
      for (const std::string& known : each->get_lnames())
        if (name == "--" + known) return each;
      for (const std::string& known : each->get_snames())
        if (name == "-" + known) return each;
    }
    return nullptr;
  }

  // Takes the command that a word names.
  bool enters(const std::string& word) {
    const auto found =
        command_->get_subcommands([&](const CLI::App* each) { return each->get_name() == word; });
    if (!found.empty()) command_ = found.front();
    return !found.empty();
  }

  void check_argument(const std::string& word) const {
    if (word.empty()) refuse("an argument is empty; give a name, or leave it out");
    if (word.size() > longest_value)
      refuse(fmt::format("the argument '{}' has {} bytes; it may have {}", shortened(word, 20), word.size(),
                         longest_value));
    if (command_->get_parent() != nullptr) return;
    std::vector<std::string> names;
    for (const CLI::App* each : command_->get_subcommands({})) names.push_back(each->get_name());
    refuse(fmt::format("there is no command '{}'{}", shortened(word), did_you_mean(word, names)));
  }

  // False for one that the parser answers itself, whatever the other words are: --help and --version.
  bool check_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const CLI::Option* const option = find(name);
    if (option == nullptr) refuse_unknown(name);
    if (is_flag(*option)) {
      if (equals != std::string::npos)
        refuse(fmt::format("{} takes no value; leave '{}' out", name, shortened(word.substr(equals))));
      return option->get_lnames().front() != "help" && option->get_lnames().front() != "version";
    }
    const std::string value = equals != std::string::npos ? word.substr(equals + 1) : next_value(name);
    if (value.empty())
      refuse(fmt::format("{}: the {} is empty; give one, or leave the option out", name,
                         option->get_type_name() == "TEXT" ? "name" : "value"));
    if (value.size() > longest_value && !is_list(*option))
      refuse(fmt::format("{}: the value has {} bytes; it may have {}", name, value.size(), longest_value));
    check_once(*option, name, value);
    return true;
  }

  std::string next_value(const std::string& name) {
    if (at_ == words_.size()) refuse(fmt::format("{} needs a value behind it", name));
    const std::string& value = words_[at_++];
    if (value.starts_with("--") || (value.starts_with("-") && find(value) != nullptr))
      refuse(
          fmt::format("{} needs a value, but '{}' follows, which is an option; if it is meant as the "
                      "value, write it as {}={}",
                      name, shortened(value), name, shortened(value)));
    return value;
  }

  void check_once(const CLI::Option& option, const std::string& name, const std::string& value) {
    if (is_list(option) || option.get_multi_option_policy() != CLI::MultiOptionPolicy::Throw) return;
    const auto [before, is_first] = values_.emplace(&option, value);
    if (!is_first)
      refuse(fmt::format("{} is given twice, with '{}' and '{}'; give it once", name,
                         shortened(before->second), shortened(value)));
  }

  [[noreturn]] void refuse_unknown(const std::string& name) const {
    std::vector<std::string> names;
    for (const CLI::Option* each : command_->get_options())
      for (const std::string& known : each->get_lnames()) names.push_back("--" + known);
    refuse(fmt::format("there is no option '{}' of '{}'{}", shortened(name), full_name(*command_),
                       did_you_mean(name, names)));
  }

  const CLI::App* command_;
  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  std::map<const CLI::Option*, std::string> values_;
};

}  // namespace

std::string check_words(const CLI::App& app, const std::vector<std::string>& words) {
  return Words(app, words).check();
}

std::string with_help(const std::string& message, const std::string& command) {
  return fmt::format("{}{} '{} --help'", message, message.ends_with('?') ? " See" : "; see", command);
}

}  // namespace gradus::cli
