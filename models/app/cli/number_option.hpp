#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

/// Options that take numbers: plain decimal ones, in full, that their type holds.
namespace gradus::cli {

/// The numbers that an option takes; all that its type holds, but for infinities and NaN, by default.
template <class Number> struct Bounds {
  Number least = std::numeric_limits<Number>::lowest();
  Number most = std::numeric_limits<Number>::max();
  bool without_least = false;  ///< only numbers above it
  bool without_most = false;   ///< only numbers below it
};

/// The number that a text is, for std::int64_t, std::uint64_t and double; CLI::ValidationError, which says
/// what the option takes, for any other text and for a number out of bounds.
template <class Number>
Number number_from(const std::string& option, const std::string& text, const Bounds<Number>& bounds);

/// An option that takes a number. A default of 0, which stands for none, is not in the help.
template <class Number, class Target>
CLI::Option* add_number(CLI::App* command, const std::string& name, Target& target, const std::string& help,
                        const Bounds<Number>& bounds) {
  auto* option = command->add_option_function<std::string>(
      name,
      [name, bounds, &target](const std::string& text) {
        target = static_cast<Target>(number_from(name, text, bounds));
      },
      help);
  option->type_name(std::is_integral_v<Number> ? "INT" : "FLOAT");
  if constexpr (std::is_arithmetic_v<Target>)
    if (target != 0) option->default_str(CLI::detail::to_string(target));
  return option;
}

/// An option that takes whole numbers, "16,8".
CLI::Option* add_whole_numbers(CLI::App* command, const std::string& name, std::vector<std::int64_t>& target,
                               const std::string& help, const Bounds<std::int64_t>& bounds);

}  // namespace gradus::cli
