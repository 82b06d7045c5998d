// Every option of every command, as the parser itself lists them, given values that people mistype and that
// attackers make: each is refused in a line that names the option, or taken for what it says in plain
// decimal. Nothing is run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gradus/base/error.hpp"
#include "gradus/data/option_error.hpp"
#include "models/app/cli/command_line.hpp"
#include "models/app/cli/commands.hpp"
#include "models/data/printable.hpp"

namespace gradus {
namespace {

using cli::CommandLine;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

// The message by which words are refused; empty when they make a command.
std::string refusal(const Words& words) {
  try {
    CommandLine line(words);
    EXPECT_TRUE(line.parse());
    return {};
  } catch (const OptionError& error) {
    return cli::with_options(error.what(), error.options());
  } catch (const Error& error) {
    return error.what();
  }
}

// A command, the words without which it is refused, and the options that take a value, with their types.
struct Command {
  Words words;
  std::map<std::string, std::string> options;
  Words flags;
  Words lists;
};

Words needed(const std::string& command) {
  static const std::map<std::string, Words> arguments{
      {"train", {"sine"}},  {"mlp", {"--data", "d.csv", "--target", "t"}},
      {"check", {"sine"}},  {"predict", {"m.safetensors", "--data", "d.csv"}},
      {"graph", {"sine"}},  {"profile", {"sine"}},
      {"fetch", {"mnist"}}, {"export", {"sine", "--onnx", "m.onnx"}}};
  const auto found = arguments.find(command);
  return found == arguments.end() ? Words{} : found->second;
}

void add_commands(const CLI::App& app, const Words& above, std::vector<Command>& all) {
  for (const CLI::App* each : app.get_subcommands({})) {
    Command command{above, {}, {}, {}};
    command.words.push_back(each->get_name());
    add_commands(*each, command.words, all);
    const Words more = needed(each->get_name());
    command.words.insert(command.words.end(), more.begin(), more.end());
    for (const CLI::Option* option : each->get_options())
      for (const std::string& name : option->get_lnames()) {
        if (option->get_items_expected_max() == 0)
          command.flags.push_back("--" + name);
        else
          command.options["--" + name] = option->get_type_name();
        if (option->get_items_expected_max() > 1) command.lists.push_back("--" + name);
      }
    all.push_back(command);
  }
}

std::vector<Command> all_commands() {
  std::vector<Command> all;
  add_commands(CommandLine({}).app(), {}, all);
  return all;
}

bool is_number(const std::string& type) { return type.starts_with("INT") || type.starts_with("FLOAT"); }

// The words with an option's value, which takes the place of one that is needed.
Words with(const Command& command, const std::string& option, const Words& value) {
  Words words = command.words;
  const std::string first = option == "--csv" ? "--data" : option;
  if (const auto given = std::ranges::find(words, first); given != words.end()) words.erase(given, given + 2);
  words.insert(words.end(), value.begin(), value.end());
  return words;
}

class Sweep : public testing::Test {
 protected:
  // Calls `look` for each option that takes a value: the words that give it this one, behind a blank and
  // behind an equals sign.
  static void each(const std::string& value,
                   const std::function<void(const Words&, const std::string&, const std::string&)>& look) {
    std::size_t options = 0;
    for (const Command& command : all_commands())
      for (const auto& [option, type] : command.options) {
        ++options;
        look(with(command, option, {option, value}), option, type);
        look(with(command, option, {option + "=" + value}), option, type);
      }
    EXPECT_GT(options, 70U);
  }

  static void expect_refused(const Words& words, const std::string& option) {
    const std::string why = refusal(words);
    EXPECT_THAT(why, testing::AnyOf(HasSubstr(option), HasSubstr(option == "--csv" ? "--data" : option)));
    EXPECT_LE(why.size(), 300U) << why;
    EXPECT_EQ(printable(why), why);
  }
};

TEST_F(Sweep, CommandsAreTakenWithoutMore) {
  for (const Command& command : all_commands())
    EXPECT_EQ(refusal(command.words), "") << command.words.front();
}

TEST_F(Sweep, AnEmptyValueIsRefused) {
  for (const Command& command : all_commands())
    for (const auto& [option, type] : command.options)
      for (const Words& value : {Words{option, ""}, Words{option + "="}, Words{option + "=", "1"}}) {
        const std::string why = refusal(with(command, option, value));
        EXPECT_THAT(why, AllOf(HasSubstr(option), HasSubstr("is empty"))) << why;
      }
}

TEST_F(Sweep, AnOptionIsNoValue) {
  for (const Command& command : all_commands())
    for (const auto& [option, type] : command.options) {
      for (const std::string& other : command.flags)
        EXPECT_THAT(refusal(with(command, option, {option, other})),
                    AllOf(HasSubstr(option), HasSubstr(other), HasSubstr("needs a value")));
      for (const char* other : {"--nothing", "--", "-h"})
        EXPECT_THAT(refusal(with(command, option, {option, other})), HasSubstr("needs a value"));
      EXPECT_THAT(refusal(with(command, option, {option})), HasSubstr(option + " needs a value"));
    }
}

TEST_F(Sweep, NumbersArePlain) {
  for (const char* odd : {"99999999999999999999",
                          "-99999999999999999999",
                          "1e400",
                          "-1e400",
                          "nan",
                          "inf",
                          "-inf",
                          "infinity",
                          "0x10",
                          "0x1p-3",
                          "1_000",
                          "1,000.5",
                          "1'000",
                          " 1",
                          "1 ",
                          "\t1",
                          "1x",
                          "x",
                          "+-1",
                          "--1",
                          "1e",
                          "1.2.3",
                          "½",
                          "١",
                          "1\n",
                          "1\x1b[31m",
                          "true"})
    each(odd, [&](const Words& words, const std::string& option, const std::string& type) {
      if (is_number(type) && !(odd == std::string("99999999999999999999") && type.starts_with("FLOAT")) &&
          !(odd == std::string("-99999999999999999999") && option == "--init-scale"))
        expect_refused(words, option);
    });
  each("-1", [&](const Words& words, const std::string& option, const std::string& type) {
    if (is_number(type) && option != "--init-scale") expect_refused(words, option);
  });
  for (const char* octal : {"010", "00", "08"})
    each(octal, [&](const Words& words, const std::string& option, const std::string& type) {
      if (type.starts_with("INT")) expect_refused(words, option);
    });
}

TEST_F(Sweep, HugeValuesAreRefusedBriefly) {
  const std::string huge(10000, 'x');
  each(huge, [&](const Words& words, const std::string& option, const std::string&) {
    expect_refused(words, option);
  });
}

TEST_F(Sweep, WhatIsRefusedIsShownPrintable) {
  for (const char* odd : {"\x1b[31m\x1b]0;x\a", "a\nb\rc", "\xff\xfe",
                          "\xc2\x9b"
                          "1m",
                          "\xe2\x80\xae"
                          "abc"}) {
    each(odd, [&](const Words& words, const std::string&, const std::string&) {
      const std::string why = refusal(words);
      EXPECT_EQ(printable(why), why);
      EXPECT_LE(why.size(), 300U);
    });
    for (const Words& words :
         {Words{odd}, Words{"train", std::string("--") + odd}, Words{"graph", "sine", odd}}) {
      const std::string why = refusal(words);
      EXPECT_NE(why, "");
      EXPECT_EQ(printable_lines(why), why);
    }
  }
}

TEST_F(Sweep, WhatIsGivenTwiceIsRefused) {
  std::size_t single = 0;
  for (const Command& command : all_commands())
    for (const auto& [option, type] : command.options) {
      const bool is_character = option == "--delimiter" || option == "--decimal" || option == "--thousands";
      if (is_character || std::ranges::find(command.lists, option) != command.lists.end()) continue;
      ++single;
      EXPECT_THAT(refusal(with(command, option, {option, "1", option + "=2"})),
                  AllOf(HasSubstr(option), HasSubstr("given twice"), HasSubstr("'1'"), HasSubstr("'2'")));
    }
  EXPECT_GT(single, 60U);
  EXPECT_THAT(refusal({"train", "--epochs", "2", "mlp", "--data", "d", "--target", "t", "--epochs", "3"}),
              AllOf(HasSubstr("--epochs"), HasSubstr("give it once")));
}

TEST_F(Sweep, FlagsTakeNoValue) {
  for (const Command& command : all_commands())
    for (const std::string& flag : command.flags)
      for (const char* value : {"=", "=1", "=false", "=maybe"})
        EXPECT_THAT(refusal(with(command, flag, {flag + value})),
                    AllOf(HasSubstr(flag), HasSubstr("takes no value")));
}

// Every name with a letter left out, one doubled, and two exchanged.
Words mistyped(const std::string& name) {
  const std::size_t at = name.size() / 2;
  Words all{name.substr(0, at) + name.substr(at + 1), name.substr(0, at) + name[at] + name.substr(at)};
  std::string swapped = name;
  std::swap(swapped[at], swapped[at - 1]);
  if (swapped != name) all.push_back(swapped);
  return all;
}

TEST_F(Sweep, NearNamesAreProposed) {
  std::size_t proposed = 0, tried = 0;
  for (const Command& command : all_commands()) {
    Words names = command.flags;
    for (const auto& [option, type] : command.options) names.push_back(option);
    for (const std::string& name : names)
      for (const std::string& typed : mistyped(name)) {
        if (std::ranges::find(names, typed) != names.end()) continue;
        Words words = command.words;
        words.push_back(typed);
        const std::string why = refusal(words);
        EXPECT_THAT(why, HasSubstr("there is no option '" + typed + "'")) << why;
        ++tried;
        proposed += why.find("did you mean '" + name + "'?") != std::string::npos ? 1 : 0;
      }
    const std::string& last = command.words.front();
    for (const std::string& typed : mistyped(last))
      EXPECT_THAT(refusal({typed}), HasSubstr("did you mean '" + last + "'?"));
  }
  EXPECT_GE(10 * proposed, 9 * tried);  // a few are as near to another
  EXPECT_THAT(refusal({"trian", "sine"}), HasSubstr("did you mean 'train'?"));
  EXPECT_THAT(refusal({"graph", "sine", "--what", "froward"}), HasSubstr("did you mean 'forward'?"));
  EXPECT_THAT(refusal({"zzzzz"}), Not(HasSubstr("did you mean")));
}

TEST_F(Sweep, WhatNeedsACheckpointIsRefusedWithoutOne) {
  const Words table{"mlp", "--data", "d", "--target", "t"};
  for (const Words& option : {Words{"--resume"}, Words{"--checkpoint-steps", "3"}})
    for (const bool before : {true, false}) {
      Words words{"train"};
      if (before) words.insert(words.end(), option.begin(), option.end());
      words.insert(words.end(), table.begin(), table.end());
      if (!before) words.insert(words.end(), option.begin(), option.end());
      EXPECT_THAT(refusal(words), AllOf(HasSubstr(option[0]), HasSubstr("--checkpoint")));
      words.insert(words.end(), {"--checkpoint", "c"});
      EXPECT_EQ(refusal(words), "");
    }
}

}  // namespace
}  // namespace gradus
