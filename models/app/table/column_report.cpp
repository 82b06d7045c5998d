#include "models/app/table/column_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "models/app/table/categories.hpp"
#include "models/data/number_text.hpp"
#include "models/data/printable.hpp"

namespace gradus {

namespace {

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, width_of(text)), ' ');
}

// A column in words.
struct Reading {
  std::string name;
  std::string kind;
  std::size_t count;
  std::size_t missing;
  std::string levels;
  std::string first;
};

std::string value_text(const TableColumn& column, std::size_t row) {
  if (!column.is_number) return column.labels[column.codes[row]];
  if (std::isnan(column.numbers[row])) return {};
  return column.is_date ? date_text(column.numbers[row]) : fmt::format("{}", column.numbers[row]);
}

// How many categories occur, but for that of missing values.
std::size_t levels_of(const Table& table, const TableColumn& column) {
  if (column.is_number) return 0;
  Rows all(table.rows());
  std::iota(all.begin(), all.end(), 0U);
  const std::vector<std::string> categories = label_categories(table, column, all);
  std::vector<char> occurs(column.labels.size(), 0);
  for (const std::uint32_t code : column.codes) occurs[code] = 1;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < occurs.size(); ++i)
    if (occurs[i] != 0 && !column.labels[i].empty()) seen.insert(categories[i]);
  return seen.size();
}

Reading reading_of(const Table& table, const TableColumn& column) {
  constexpr std::size_t shown = 4, longest = 20;
  const std::size_t rows = table.rows();
  Reading reading{shortened(column.name, 32),
                  column.is_date     ? "date"
                  : column.is_number ? "number"
                                     : "text",
                  rows - column.missing,
                  column.missing,
                  column.is_number ? "-" : std::to_string(levels_of(table, column)),
                  {}};
  for (std::size_t row = 0; row < std::min(shown, rows); ++row) {
    const std::string text = shortened(value_text(column, row), longest);
    reading.first += (row == 0 ? "" : ", ") + (text.empty() ? "(missing)" : text);
  }
  return reading;
}

bool counts_rows(const TableColumn& column) {
  if (column.is_date || column.missing > 0) return false;
  const auto [least, most] = std::ranges::minmax(column.numbers);
  const auto whole = [](double x) { return x == std::floor(x); };
  if (most - least + 1 != static_cast<double>(column.numbers.size())) return false;
  return std::ranges::all_of(column.numbers, whole) &&
         std::set(column.numbers.begin(), column.numbers.end()).size() == column.numbers.size();
}

// The share of a text column's labels for which this holds.
template <class Holds> double share(const TableColumn& column, Holds holds) {
  return static_cast<double>(std::ranges::count_if(column.labels, holds)) /
         static_cast<double>(std::max<std::size_t>(column.labels.size(), 1));
}

bool is_digit_of(char c) { return c >= '0' && c <= '9'; }

// Digits with marks of dates between them: two, or one beside a year.
bool looks_like_date(const std::string& label) {
  const auto digits = std::ranges::count_if(label, is_digit_of);
  const auto marks = std::ranges::count_if(label, [](char c) { return c == '/' || c == '-' || c == '.'; });
  const std::size_t mark = label.find_first_of("/-.");
  const bool year = mark == 4 || (mark != std::string::npos && label.size() - mark == 5);
  const bool alone = digits + marks == static_cast<std::ptrdiff_t>(label.size());
  return digits >= 4 && (marks == 2 || (marks == 1 && year && alone && label[mark] != '.'));
}

// Digits with a colon between them: "10:02".
bool looks_like_time(const std::string& label) {
  const std::size_t colon = label.find(':');
  return colon != std::string::npos && colon > 0 && colon + 1 < label.size() &&
         is_digit_of(label[colon - 1]) && is_digit_of(label[colon + 1]);
}

// Digits, and signs around them: "$5", "7 %".
bool looks_like_number(const std::string& label) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return label.find_first_of("0123456789") != std::string::npos && std::ranges::none_of(label, is_letter);
}

std::string reason_for_many(const TableColumn& column, std::size_t levels, std::size_t values) {
  constexpr double most = 0.5;
  if (share(column, looks_like_date) > most)
    return "these look like dates in another spelling; write them as 2020-12-31 or 31.12.2020, or leave the "
           "column out";
  if (share(column, looks_like_time) > most)
    return "these look like times; write them as numbers, such as minutes, or leave the column out";
  if (share(column, looks_like_number) > most)
    return "these look like numbers with units or signs; write them without, or leave the column out";
  if (levels == values)
    return "each is another, as an id or a name is, which says nothing of other rows; leave the column out";
  return "each becomes an input of the network that few rows have; join some, or leave the column out";
}

// The number of a column that is not standardised whose square the network's type does not hold, as losses
// and optimizers take it.
std::optional<OptionError> oversized(const Table& table, const TableColumn& column,
                                     const TableOptions& options) {
  const bool is_weight = column.name == options.weight;
  if (!column.is_number || column.name == options.target || (options.standardize && !is_weight)) return {};
  const double most =
      std::sqrt(options.in_double ? std::numeric_limits<double>::max() : std::numeric_limits<float>::max());
  const auto found = std::ranges::find_if(column.numbers, [&](double x) { return std::abs(x) > most; });
  if (found == column.numbers.end()) return {};
  std::vector<std::string> remedies;
  if (!is_weight) remedies.emplace_back("standardize=true");
  if (!options.in_double && std::abs(*found) < std::sqrt(std::numeric_limits<double>::max()))
    remedies.emplace_back("precision=double");
  const auto row = static_cast<std::size_t>(found - column.numbers.begin());
  return OptionError(
      remedies, fmt::format("{}: the square of {} is beyond a {}, so that the training may "
                            "fail; correct it, {}or scale it",
                            table.place(row, column.name), *found, options.in_double ? "double" : "float",
                            is_weight ? "" : "standardise the column, "));
}

// Text a part of which is numbers, because a word stands for missing ones in more than half of the rows.
std::optional<OptionError> numbers_in_text(const Table& table, const TableColumn& column,
                                           const NumberStyle& style, const std::string& treated) {
  constexpr std::size_t many = 10;
  std::vector<std::size_t> counts(column.labels.size(), 0);
  for (const std::uint32_t code : column.codes) ++counts[code];
  std::size_t levels = 0, rows = 0, words = 0, most = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0 || column.labels[i].empty()) continue;
    const auto value = number_of(column.labels[i], style);
    const bool number = value && std::isfinite(*value);
    levels += number ? 1 : 0;
    rows += number ? counts[i] : 0;
    words += number ? 0 : 1;
    if (!number && (words == 1 || counts[i] > counts[most])) most = i;
  }
  if (levels <= many || words == 0 || words > levels / 2) return std::nullopt;
  const std::string& word = column.labels[most];
  return OptionError(
      {"na=" + word + treated},
      fmt::format("column '{}': {} of {} values are numbers, each of which becomes a level, since "
                  "'{}' is none; if that stands for a missing value, say so",
                  column.name, rows, table.rows() - column.missing, word));
}

}  // namespace

Facts column_facts(const Table& table) {
  Facts facts;
  for (const TableColumn& column : table.columns()) {
    const Reading r = reading_of(table, column);
    facts.emplace_back("column " + r.name,
                       fmt::format("{}: {} values, {} missing{}; first: {}", r.kind, r.count, r.missing,
                                   column.is_number ? "" : ", " + r.levels + " levels", r.first));
  }
  return facts;
}

std::string column_table(const Table& table) {
  std::vector<Reading> readings;
  for (const TableColumn& column : table.columns()) readings.push_back(reading_of(table, column));
  std::size_t width = 6;
  for (const Reading& r : readings) width = std::max(width, width_of(r.name));
  std::string text = fmt::format("{}: {} rows\n{}  kind     count  missing  levels  first values\n",
                                 table.path().string(), table.rows(), padded("column", width));
  for (const Reading& r : readings)
    text += fmt::format("{}  {:<6} {:>7}  {:>7}  {:>6}  {}\n", padded(r.name, width), r.kind, r.count,
                        r.missing, r.levels, r.first);
  for (const std::string& note : table.notes()) text += fmt::format("note: {}\n", note);
  return text;
}

std::vector<OptionError> odd_columns(const Table& table, const TableOptions& options) {
  const std::string& target = options.target;
  // The word alone would only lead to an error.
  const std::string treated = options.missing == Missing::error ? "\nmissing=level" : "";
  std::vector<OptionError> odd;
  for (const TableColumn& column : table.columns()) {
    const std::string& name = column.name;
    const std::size_t values = table.rows() - column.missing, levels = levels_of(table, column);
    const std::vector<std::string> leave_out{"exclude=" + name};
    if (const auto large = oversized(table, column, options)) odd.push_back(*large);
    if (!column.is_number) {
      for (const std::string& label : column.labels)
        if (!label.empty() && is_missing_number(label))
          odd.emplace_back(
              std::vector{fmt::format("na={}{}", label, treated)},
              fmt::format("column '{}': '{}' is taken for a level; if it stands for a missing value, "
                          "say so",
                          name, label));
      if (std::ranges::find(options.text, name) == options.text.end() &&
          (name != target || options.task != Task::classify))
        if (auto mixed = numbers_in_text(table, column, options.format.style, treated))
          odd.push_back(std::move(*mixed));
      constexpr std::size_t many = 50;
      if (name != target && levels > 2 && (levels > many || 2 * levels > values))
        odd.emplace_back(leave_out, fmt::format("column '{}' has {} levels in {} rows: {}", name, levels,
                                                values, reason_for_many(column, levels, values)));
      if (name == target && levels > many)
        odd.emplace_back(
            std::vector<std::string>{"task=regress"},
            fmt::format("column '{}', the target, has {} classes in {} rows; if these are numbers, write "
                        "them so that they are read as such, and regress them",
                        name, levels, values));
    } else if (name != target && name != options.weight && table.rows() > 2 && counts_rows(column)) {
      odd.emplace_back(leave_out,
                       fmt::format("column '{}' counts the rows, as an id does, which says nothing of "
                                   "other rows; leave it out",
                                   name));
    }
  }
  return odd;
}

}  // namespace gradus
