#include "models/data/number_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <tuple>
#include <utility>

namespace gradus {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::string_view no_break = "\xC2\xA0", narrow = "\xE2\x80\xAF";

// How many bytes a blank at the text's front has; 0 when there is none.
std::size_t blank_at(std::string_view text) {
  if (text.starts_with(' ') || text.starts_with('\t')) return 1;
  return text.starts_with(no_break) ? no_break.size() : text.starts_with(narrow) ? narrow.size() : 0;
}

// How many bytes separate thousands at the text's front; 0 when none do. Spreadsheets write blanks that do
// not break lines for blanks.
std::size_t separator_at(std::string_view text, char thousands) {
  if (thousands == '\0') return 0;
  if (text.starts_with(thousands)) return 1;
  return thousands == ' ' && !text.starts_with('\t') ? blank_at(text) : 0;
}

// The number as programs write it; nothing when it is none in this style. Groups have three digits, the first
// one to three and no 0 in front: 0,500 is a fraction.
std::optional<std::string> plain_spelling(std::string_view text, const NumberStyle& style) {
  std::string plain;
  std::size_t group = 0;
  bool grouped = false, whole = true;
  const auto ends_whole = [&] { return std::exchange(whole, false) && grouped && group != 3; };
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (const std::size_t width = separator_at(text.substr(i), style.thousands); width > 0) {
      if (!whole || group < 1 || (grouped ? group != 3 : group > 3)) return std::nullopt;
      if (!grouped && plain[plain.size() - group] == '0') return std::nullopt;
      grouped = true;
      group = 0;
      i += width;
      continue;
    }
    const bool is_decimal = c == style.decimal;
    if (!is_decimal && (c == '.' || c == ',')) return std::nullopt;
    if (is_decimal && !whole) return std::nullopt;
    if (is_digit(c))
      ++group;
    else if (plain.find_first_of("0123456789") != std::string::npos && whole && ends_whole())
      return std::nullopt;
    plain += is_decimal ? '.' : c;
    ++i;
  }
  if (whole && ends_whole()) return std::nullopt;
  return plain;
}

// Whether a number that no double can hold is too small and not too large: where its first digit is that is
// not 0, counted from the decimal point, says that.
bool is_tiny(std::string_view text) {
  const std::size_t mark = std::min(text.find_first_of("eE"), text.size());
  const std::string_view digits = text.substr(0, mark);
  const std::size_t first = digits.find_first_of("123456789");
  if (first == std::string_view::npos) return true;
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const double place = static_cast<double>(point) - static_cast<double>(first);
  std::string_view exponent = text.substr(std::min(mark + 1, text.size()));
  const bool negative = exponent.starts_with('-');
  double size = 0;
  for (const char c : exponent)
    if (is_digit(c)) size = std::min(10 * size + (c - '0'), 1e15);
  return place + (negative ? -size : size) < 0;
}

std::optional<double> plain_number(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return is_tiny(text) ? 0 : INFINITY;
  if (error != std::errc()) return std::nullopt;
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// Digits, of which `place` are in front of the decimal point: 0.DIGITS · 10^place.
struct Decimal {
  std::string digits;
  std::int64_t place;
};

// The size of a plain number without its sign; nothing when it is none.
std::optional<Decimal> decimal_of(std::string_view text) {
  const std::size_t mark = std::min(text.find_first_of("eE"), text.size());
  const std::string_view mantissa = text.substr(0, mark);
  std::int64_t exponent = 0;
  if (mark < text.size()) {
    std::string_view power = text.substr(mark + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    const bool is_down = take(power, '-');
    if (power.empty() || power.size() > 15 || !std::ranges::all_of(power, is_digit)) return std::nullopt;
    std::from_chars(power.data(), power.data() + power.size(), exponent);
    exponent = is_down ? -exponent : exponent;
  }
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  Decimal decimal{std::string(mantissa), static_cast<std::int64_t>(point) + exponent};
  if (point < mantissa.size()) decimal.digits.erase(point, 1);
  if (decimal.digits.empty() || !std::ranges::all_of(decimal.digits, is_digit)) return std::nullopt;
  const std::size_t first = std::min(decimal.digits.find_first_not_of('0'), decimal.digits.size());
  decimal.digits.erase(0, first);
  decimal.digits.resize(decimal.digits.find_last_not_of('0') + 1);
  decimal.place -= static_cast<std::int64_t>(first);
  return decimal;
}

// As it is written: in full, unless that takes many zeros.
std::string spelling_of(const Decimal& decimal) {
  constexpr std::int64_t longest = 21, smallest = -5;
  const auto& [digits, place] = decimal;
  const auto count = static_cast<std::int64_t>(digits.size());
  if (digits.empty()) return "0";
  if (place > longest || place <= smallest)
    return fmt::format("{}{}{}e{:+03}", digits[0], count > 1 ? "." : "", digits.substr(1), place - 1);
  if (place <= 0) return "0." + std::string(static_cast<std::size_t>(-place), '0') + digits;
  if (count <= place) return digits + std::string(static_cast<std::size_t>(place - count), '0');
  return fmt::format("{}.{}", digits.substr(0, static_cast<std::size_t>(place)),
                     digits.substr(static_cast<std::size_t>(place)));
}

// A whole number of `least` to `most` digits at the front, which is taken off.
std::optional<int> take_digits(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t count = 0;
  int value = 0;
  while (count < std::min(most, text.size()) && is_digit(text[count]))
    value = 10 * value + text[count++] - '0';
  if (count < least) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

// "23:59", "23:59:59.5", with a Z; as a part of a day.
std::optional<double> take_time(std::string_view& text) {
  const auto hour = take_digits(text, 1, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2, 2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  double second = 0;
  if (take(text, ':')) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto value = end >= 2 ? plain_number(text.substr(0, end)) : std::nullopt;
    if (!value || !(*value < 61)) return std::nullopt;
    second = *value;
    text.remove_prefix(end);
  }
  take(text, 'Z');
  return ((*hour * 60 + *minute) * 60 + second) / 86400;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  for (std::size_t size = 1; size > 0; text.remove_prefix(size)) size = blank_at(text);
  while (!text.empty()) {
    // A blank is of one byte or of as many as a longer one has.
    const auto ends_so = [&](std::size_t size) {
      return text.size() >= size && blank_at(text.substr(text.size() - size)) == size;
    };
    const std::size_t size = ends_so(1)                 ? 1
                             : ends_so(no_break.size()) ? no_break.size()
                             : ends_so(narrow.size())   ? narrow.size()
                                                        : 0;
    if (size == 0) break;
    text.remove_suffix(size);
  }
  return text;
}

std::optional<double> number_of(std::string_view text, const NumberStyle& style) {
  text = trimmed(text);
  if (style.decimal == '.' && style.thousands == '\0') return plain_number(text);
  const auto plain = plain_spelling(text, style);
  return plain ? plain_number(*plain) : std::nullopt;
}

void check_style(const NumberStyle& style) {
  const auto& [decimal, thousands] = style;
  if (decimal == thousands)
    throw OptionError({"decimal", "thousands"},
                      fmt::format("'{}' cannot be the decimal sign and separate thousands, too; give one of "
                                  "them another character",
                                  decimal));
  const auto is_of_numbers = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+';
  };
  for (const auto& [sign, name, use] : {std::tuple(decimal, "decimal", "be the decimal sign"),
                                        std::tuple(thousands, "thousands", "separate thousands")})
    if (is_of_numbers(sign))
      throw OptionError({name},
                        fmt::format("'{}' cannot {}, as numbers have it elsewhere; name the sign that "
                                    "the table has there, such as '.' or ','",
                                    sign, use));
}

bool is_missing_number(std::string_view text) {
  constexpr std::array<std::string_view, 27> words{
      "",        "?",       "-",        "na",       "n/a",     "nan",   "null",     "none",      "nat",
      "<na>",    "#na",     "#n/a",     "#n/a n/a", "-nan",    "+nan",  "nan(ind)", "-nan(ind)", "1.#ind",
      "-1.#ind", "1.#qnan", "-1.#qnan", "#div/0!",  "#value!", "#ref!", "#name?",   "#num!",     "#null!"};
  constexpr std::size_t longest = 9;
  text = trimmed(text);
  if (text.size() > longest) return false;
  std::string small(text);
  for (char& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::ranges::find(words, small) != words.end();
}

std::optional<double> date_of(std::string_view text, DateOrder order) {
  text = trimmed(text);
  const bool year_first = text.size() > 4 && std::ranges::all_of(text.substr(0, 4), is_digit);
  auto first = year_first ? take_digits(text, 4, 4) : take_digits(text, 1, 2);
  if (!first || text.empty()) return std::nullopt;
  const char separator = text.front();
  if (separator != '-' && separator != '/' && (separator != '.' || year_first)) return std::nullopt;
  take(text, separator);
  auto month = take_digits(text, 1, 2);
  if (!month || !take(text, separator)) return std::nullopt;
  const auto last = year_first ? take_digits(text, 1, 2) : take_digits(text, 4, 4);
  if (!last) return std::nullopt;
  if (!year_first && order == DateOrder::month_first) std::swap(first, month);
  const std::chrono::year_month_day day{std::chrono::year(year_first ? *first : *last),
                                        std::chrono::month(static_cast<unsigned>(*month)),
                                        std::chrono::day(static_cast<unsigned>(year_first ? *last : *first))};
  if (!day.ok()) return std::nullopt;
  const auto days = static_cast<double>(std::chrono::sys_days(day).time_since_epoch().count());
  if (text.empty()) return days;
  if (!take(text, ' ') && !take(text, 'T')) return std::nullopt;
  const auto time = take_time(text);
  if (!time || !text.empty()) return std::nullopt;
  return days + *time;
}

std::optional<std::string> exact_number(std::string_view text, const NumberStyle& style) {
  const auto plain = plain_spelling(trimmed(text), style);
  if (!plain) return std::nullopt;
  std::string_view size = *plain;
  const bool is_negative = take(size, '-');
  if (!is_negative) take(size, '+');
  const auto decimal = decimal_of(size);
  if (!decimal) return std::nullopt;
  return (is_negative && !decimal->digits.empty() ? "-" : "") + spelling_of(*decimal);
}

std::string category_of(std::string_view label, const NumberStyle& style) {
  const std::size_t digit = std::min(label.find_first_of("0123456789"), label.size());
  const std::string_view behind = label.substr(std::min(digit + 1, label.size()));
  const bool is_code = label.substr(digit).starts_with('0') && !behind.empty() &&
                       (is_digit(behind[0]) || separator_at(behind, style.thousands) > 0);
  return is_code ? std::string(label) : exact_number(label, style).value_or(std::string(label));
}

std::string date_text(double days) {
  const double whole = std::floor(days);
  const std::chrono::year_month_day day{
      std::chrono::sys_days(std::chrono::days(static_cast<std::int64_t>(whole)))};
  std::string text = fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                                 static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  const auto seconds = static_cast<std::int64_t>(std::round((days - whole) * 86400));
  if (seconds > 0) text += fmt::format(" {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  return text;
}

}  // namespace gradus
