#include "models/app/cli/number_option.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "models/data/printable.hpp"

namespace gradus::cli {

namespace {

template <class Number> bool holds(const Bounds<Number>& bounds, Number number) {
  const bool is_above = bounds.without_least ? number > bounds.least : number >= bounds.least;
  return is_above && (bounds.without_most ? number < bounds.most : number <= bounds.most);
}

// "a whole number from 1 to 256", "a number above 0".
template <class Number> std::string text_of(const Bounds<Number>& bounds) {
  using Limits = std::numeric_limits<Number>;
  std::string text = std::is_integral_v<Number> ? "a whole number" : "a number";
  if (std::is_integral_v<Number> || bounds.least != Limits::lowest())
    text += fmt::format(" {} {}", bounds.without_least ? "above" : "from", bounds.least);
  if (std::is_integral_v<Number> || bounds.most != Limits::max())
    text += fmt::format(" {} {}", bounds.without_most ? "to below" : "to", bounds.most);
  else if (bounds.least != Limits::lowest() && !bounds.without_least)
    text += " on";
  return text;
}

// In quotes where it is not one word of letters, digits and signs.
std::string as_given(const std::string& text) {
  constexpr std::string_view plain = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+-_";
  constexpr std::size_t shown = 40;
  const bool is_word = !text.empty() && text.find_first_not_of(plain) == std::string::npos;
  return is_word ? shortened(text, shown) : fmt::format("'{}'", shortened(text, shown));
}

}  // namespace

template <class Number>
Number number_from(const std::string& option, const std::string& text, const Bounds<Number>& bounds) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stop == end && std::isfinite(static_cast<double>(number)) &&
      holds(bounds, number))
    return number;
  throw CLI::ValidationError(
      fmt::format("{} is {}; it must be {} ({})", option.substr(2), as_given(text), text_of(bounds), option));
}

template std::int64_t number_from(const std::string&, const std::string&, const Bounds<std::int64_t>&);
template std::uint64_t number_from(const std::string&, const std::string&, const Bounds<std::uint64_t>&);
template double number_from(const std::string&, const std::string&, const Bounds<double>&);

CLI::Option* add_whole_numbers(CLI::App* command, const std::string& name, std::vector<std::int64_t>& target,
                               const std::string& help, const Bounds<std::int64_t>& bounds) {
  return command
      ->add_option_function<std::vector<std::string>>(
          name,
          [name, bounds, &target](const std::vector<std::string>& texts) {
            target.clear();
            for (const std::string& text : texts)
              for (std::size_t begin = 0; begin <= text.size();) {
                const std::size_t end = std::min(text.find(',', begin), text.size());
                target.push_back(number_from(name, text.substr(begin, end - begin), bounds));
                begin = end + 1;
              }
          },
          help)
      ->type_name("INT");
}

}  // namespace gradus::cli
