#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "models/tutorials/tutorial.hpp"

/// Options that several commands have.
namespace gradus::cli {

/// Checks that a value is one of these words.
CLI::Validator one_of(std::vector<std::string> words);

/// `--precision`, for a Precision or one that may be left to the model.
template <class Target>
CLI::Option* add_precision(CLI::App* command, Target& precision, const std::string& help) {
  static const std::map<std::string, Precision> precisions{{"float", Precision::single},
                                                           {"double", Precision::double_}};
  return command
      ->add_option_function<std::string>(
          "--precision", [&precision](const std::string& name) { precision = precisions.at(name); }, help)
      ->check(one_of({"float", "double"}));
}

/// `--memory`, in bytes: "500M", "2G".
CLI::Option* add_memory(CLI::App* command, std::size_t& bytes);

/// `--data`, the folder of the MNIST files.
CLI::Option* add_data(CLI::App* command, std::string& data);

/// An option that takes names or words, "a,b". One that has a comma is in quotes, as in CSV: "\"a, b\",c".
CLI::Option* add_list(CLI::App* command, const std::string& option, std::vector<std::string>& list,
                      const std::string& help);

/// An option that takes one character, the name of one that is hard to type, or "none". Given twice, the last
/// one counts, so that what a message proposes can be added.
void add_character(CLI::App* command, const std::string& option, std::function<void(char)> take,
                   const std::string& help, bool may_be_none = false);

/// How a CSV file is written. `Character` is char, or one that may be left to the model.
template <class Character>
void add_format(CLI::App* command, Character& delimiter, Character& decimal, Character& thousands,
                std::vector<std::string>& na, const std::string& by_default) {
  add_character(
      command, "--delimiter", [&delimiter](char c) { delimiter = c; },
      "What separates the columns" + (by_default.empty() ? " (default ,)" : by_default));
  add_character(
      command, "--decimal", [&decimal](char c) { decimal = c; },
      "The decimal sign of numbers" + (by_default.empty() ? " (default .)" : by_default));
  add_character(
      command, "--thousands", [&thousands](char c) { thousands = c; },
      "What separates groups of three digits" + (by_default.empty() ? " (default: none)" : by_default), true);
  add_list(command, "--na", na, "Words for missing values, as NA,?,unknown");
}

}  // namespace gradus::cli
