#include "models/app/cli/number_option.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "models/data/printable.hpp"

namespace gradus::cli {

namespace {

template <class Number> bool holds(const Bounds<Number>& bounds, Number number) {
  const bool is_above = bounds.without_least ? number > bounds.least : number >= bounds.least;
  return is_above && (bounds.without_most ? number < bounds.most : number <= bounds.most);
}

// "a whole number from 1 to 256", "a finite number above 0", "a number in [0, 1)".
template <class Number> std::string text_of(const Bounds<Number>& bounds) {
  using Limits = std::numeric_limits<Number>;
  if (std::is_integral_v<Number>)
    return fmt::format("a whole number from {} to {}", bounds.least, bounds.most);
  if (bounds.most != Limits::max())
    return fmt::format("a number in {}{}, {}{}", bounds.without_least ? '(' : '[', bounds.least, bounds.most,
                       bounds.without_most ? ')' : ']');
  if (bounds.least == Limits::lowest()) return "a number";
  return fmt::format("a finite number {} {}", bounds.without_least ? "above" : "of at least", bounds.least);
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
  const bool is_number = error == std::errc() && stop == end;
  // 010 is 8 to some and 10 to others.
  const bool is_octal = is_number && std::is_integral_v<Number> && text.size() > 1 && text.front() == '0';
  if (is_number && !is_octal && std::isfinite(static_cast<double>(number)) && holds(bounds, number))
    return number;
  std::string what = option.substr(2);
  std::ranges::replace(what, '-', '_');  // as the library spells it
  throw CLI::ValidationError(fmt::format("{} is {}; it must be {}{} ({})", what, as_given(text),
                                         text_of(bounds), is_octal ? ", without zeros in front" : "",
                                         option));
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
