#include "models/data/column_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <tuple>
#include <utility>

#include "models/data/number_text.hpp"

namespace gradus {

namespace {

// By what a spelling of numbers differs from the one that is asked for, and the option that asks for it.
std::pair<std::string, std::string> difference_of(const NumberStyle& style, const NumberStyle& asked) {
  const auto written = [](char c) {
    return c == ' ' ? std::string("space") : c == '\0' ? std::string("none") : std::string(1, c);
  };
  std::string how, option;
  if (style.decimal != asked.decimal) {
    how = fmt::format("has '{}' as its decimal sign", style.decimal);
    option = "decimal=" + written(style.decimal);
  }
  if (style.thousands != asked.thousands) {
    how += how.empty() ? "has " : " and ";
    how += style.thousands == '\0' ? "nothing between its thousands"
                                   : fmt::format("'{}' between its thousands", style.thousands);
    option += (option.empty() ? "thousands=" : "\nthousands=") + written(style.thousands);
  }
  return {how, option};
}

std::string option_for_missing(const std::string& word, MissingValues missing) {
  // The word alone would only lead to the next error.
  return "na=" + word + (missing == MissingValues::error ? "\nmissing=drop" : "");
}

}  // namespace

void check_kinds(const ReadTableOptions& options) {
  const AskedColumns asked(options);
  for (const std::string& name : options.text)
    if (asked.numbers.contains(name) || asked.dates.contains(name))
      throw OptionError({"text=" + name},
                        fmt::format("column '{}' is to be read as text and as {}, too; ask for one of both",
                                    name, asked.numbers.contains(name) ? "numbers" : "dates"));
}

ColumnKinds::ColumnKinds(const RowPlaces& places, const ReadTableOptions& options, ReadsAll reads_all)
    : places_(places), options_(options), reads_all_(std::move(reads_all)) {
  check_kinds(options);
}

bool ColumnKinds::is_asked_for(std::string_view name) const {
  return asked_.numbers.contains(name) || asked_.dates.contains(name);
}

// The meaning of each label of a column, and how many rows have it.
struct ColumnKinds::Labels {
  enum Kind { missing, missing_word, number, date, word };
  std::vector<Kind> kinds;
  std::vector<double> values;
  std::vector<std::size_t> counts;
  std::size_t rows[5] = {};  // by kind

  Labels(const TableColumn& column, const MissingMarks& marks, const NumberStyle& style)
      : kinds(column.labels.size(), word),
        values(column.labels.size(), NAN),
        counts(column.labels.size(), 0) {
    for (const std::uint32_t code : column.codes) ++counts[code];
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      const std::string& text = column.labels[i];
      const auto value = number_of(text, style);
      if (text.empty() || marks.have_field(text, value)) {
        kinds[i] = missing;
      } else if (is_missing_number(text)) {
        kinds[i] = missing_word;
      } else if (value && std::isfinite(*value)) {
        kinds[i] = number;
        values[i] = *value;
      } else if (const auto day = date_of(text)) {
        kinds[i] = date;
        values[i] = *day;
      }
      rows[kinds[i]] += counts[i];
    }
  }

  std::size_t all() const { return rows[number] + rows[date] + rows[word]; }
  // The first row whose label is a value and not of this kind.
  std::optional<Sample> first_other(const TableColumn& column, Kind kind) const {
    for (std::size_t row = 0; row < column.codes.size(); ++row)
      if (const Kind each = kinds[column.codes[row]]; each != kind && each > missing_word)
        return Sample{row, column.labels[column.codes[row]]};
    return std::nullopt;
  }
};

void ColumnKinds::fail_value(const RawColumn& raw, const Sample& sample, std::string_view kind,
                             std::size_t of_kind, std::size_t values) const {
  const std::string& name = raw.column.name;
  const std::string place = places_.place(sample.row, name);
  const auto value = kind == "number" ? number_of(sample.text, options_.style) : std::nullopt;
  if (value && !std::isfinite(*value))
    throw Error(
        fmt::format("{}: '{}' is no finite number that a double holds; correct it", place, sample.text));
  const bool asked = is_asked_for(name);
  const std::vector<std::string> as_text = asked ? std::vector<std::string>() : std::vector{"text=" + name};
  if (kind == "date" && date_of(sample.text, DateOrder::month_first))
    throw OptionError(as_text,
                      fmt::format("{}: '{}' looks like a date with the month first, and they are read "
                                  "with the day first; write the column's dates as 2020-12-31{}",
                                  place, sample.text, asked ? "" : ", or read it as text"));
  std::string remedy = "correct it";
  std::vector<std::string> options;
  if (sample.text.starts_with('#')) remedy = "if the line is a comment, remove it; else correct it";
  // No list of options says these.
  if (sample.text.find('\n') == std::string::npos) {
    remedy += ", say that it stands for a missing value";
    options.push_back(option_for_missing(sample.text, options_.missing));
  }
  if (!asked) remedy += ", or read the column as text";
  options.insert(options.end(), as_text.begin(), as_text.end());
  throw OptionError(options,
                    fmt::format("{}: '{}' is not a {}, as {}; {}", place, sample.text, kind,
                                asked ? "its values must be"
                                      : fmt::format("{} of the column's {} values are", of_kind, values),
                                remedy));
}

void ColumnKinds::fail_spelling(const RawColumn& raw, const Labels& labels,
                                std::span<const NumberStyle> styles, bool reads_all) const {
  std::string how, remedy = styles.size() > 1 ? "say which" : "say so";
  std::vector<std::string> options;
  for (const NumberStyle& style : styles) {
    const auto [text, option] = difference_of(style, options_.style);
    how += (how.empty() ? "" : " or ") + text;
    if (reads_all) options.push_back(option);
  }
  if (!reads_all) remedy = "but so are not all columns; write all numbers in one spelling";
  if (!is_asked_for(raw.column.name)) {
    remedy += ", or read the column as text";
    options.push_back("text=" + raw.column.name);
  }
  const auto is_it = [&](std::size_t row) {
    const std::uint32_t code = raw.column.codes[row];
    return labels.kinds[code] > Labels::number && number_of(raw.column.labels[code], styles.front());
  };
  std::size_t row = 0;
  while (!is_it(row)) ++row;
  throw SpellingError(
      options, fmt::format("{}: '{}' is a number if it {}{} {}", places_.place(row, raw.column.name),
                           raw.column.labels[raw.column.codes[row]], how, reads_all ? ";" : ",", remedy));
}

std::vector<ColumnKinds::Spelling> ColumnKinds::spellings_of(const RawColumn& raw,
                                                             const Labels& labels) const {
  constexpr std::array<NumberStyle, 10> styles{{{',', '\0'},
                                                {'.', ','},
                                                {',', '.'},
                                                {'.', ' '},
                                                {',', ' '},
                                                {'.', '\''},
                                                {',', '\''},
                                                {'.', '_'},
                                                {',', '_'},
                                                {'.', '\0'}}};
  std::vector<Spelling> found;
  for (const NumberStyle& style : styles) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < labels.kinds.size(); ++i) {
      if (labels.kinds[i] <= Labels::missing_word || labels.kinds[i] == Labels::date) continue;
      const auto value = number_of(raw.column.labels[i], style);
      if (value && std::isfinite(*value)) count += labels.counts[i];
    }
    if (count > labels.rows[Labels::number] && 2 * count >= labels.all()) found.emplace_back(count, style);
  }
  // If 1,000 can be both, what is asked for comes first.
  const auto fits = [&](const auto& each) {
    const auto& [count, style] = each;
    return std::tuple(count, style.decimal == options_.style.decimal,
                      style.thousands == options_.style.thousands);
  };
  std::ranges::stable_sort(found, std::greater(), fits);
  return found;
}

// Text whose values are numbers for other people would silently become a category each.
void ColumnKinds::reject_other_spelling(const RawColumn& raw, const Labels& labels) const {
  const std::vector<Spelling> found = spellings_of(raw, labels);
  if (found.empty()) return;
  const auto reads_all = [&](const Spelling& each) { return !reads_all_ || reads_all_(each.second); };
  const auto best = std::ranges::find_if(found, reads_all);
  if (best == found.end()) fail_spelling(raw, labels, std::array{found.front().second}, false);
  // 1,000 is one or a thousand; whoever is asked must not be led to the wrong one.
  const auto is_opposite = [&](const Spelling& each) {
    const auto& [count, style] = each;
    return count == best->first &&
           (style.decimal == best->second.thousands || style.thousands == best->second.decimal) &&
           reads_all(each);
  };
  std::vector<NumberStyle> styles{best->second};
  if (const auto other = std::ranges::find_if(found, is_opposite); other != found.end())
    styles.push_back(other->second);
  fail_spelling(raw, labels, styles, true);
}

// Words for missing values join the empty label.
void ColumnKinds::keep_text(RawColumn& raw) const {
  TableColumn& column = raw.column;
  std::vector<std::uint32_t> code(column.labels.size());
  std::vector<std::string> labels;
  std::optional<std::uint32_t> none;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const bool is_missing = column.labels[i].empty() || marks_.have_label(column.labels[i], options_.style);
    code[i] = is_missing && none ? *none : static_cast<std::uint32_t>(labels.size());
    if (is_missing && none) continue;
    if (is_missing) none = code[i];
    labels.push_back(is_missing ? std::string() : std::move(column.labels[i]));
  }
  for (std::size_t row = 0; none && row < column.codes.size(); ++row) {
    if (code[column.codes[row]] == *none && !raw.first_missing)
      raw.first_missing =
          Sample{row, is_missing_number(column.labels[column.codes[row]]) ? column.labels[column.codes[row]]
                                                                          : std::string()};
  }
  for (std::uint32_t& each : column.codes) each = code[each];
  column.labels = std::move(labels);
}

void ColumnKinds::make_numbers(RawColumn& raw, const Labels& labels, bool dates) const {
  TableColumn& column = raw.column;
  const Labels::Kind kind = dates ? Labels::date : Labels::number;
  if (const auto other = labels.first_other(column, kind)) {
    if (!dates) reject_other_spelling(raw, labels);
    fail_value(raw, *other, dates ? "date" : "number", labels.rows[kind], labels.all());
  }
  column.is_number = true;
  column.is_date = dates;
  column.numbers.reserve(column.codes.size());
  for (std::size_t row = 0; row < column.codes.size(); ++row) {
    const std::uint32_t code = column.codes[row];
    column.numbers.push_back(labels.values[code]);
    if (labels.kinds[code] <= Labels::missing_word && !raw.first_missing)
      raw.first_missing = Sample{row, column.labels[code]};
  }
  column.codes = {};
  column.labels = {};
}

bool ColumnKinds::resolve(RawColumn& raw) const {
  const std::string& name = raw.column.name;
  const bool text = asked_.text.contains(name), dates = asked_.dates.contains(name);
  if (raw.column.is_number) return !raw.has_words && !text && !dates;
  const Labels labels(raw.column, marks_, options_.style);
  const std::size_t all = labels.all();
  const bool only_words = all == 0 && labels.rows[Labels::missing_word] > 0;
  const bool number =
      asked_.numbers.contains(name) || (!only_words && 2 * labels.rows[Labels::number] >= all);
  const bool date = dates || (!only_words && 2 * labels.rows[Labels::date] >= all);
  if (!text && (number || date)) return make_numbers(raw, labels, dates || !number), true;
  if (!text) reject_other_spelling(raw, labels);
  keep_text(raw);
  return true;
}

namespace {

[[noreturn]] void fail_empty(const RowPlaces& places, const TableColumn& column,
                             const ReadTableOptions& options) {
  const bool needed = AskedColumns(options).needs(column.name);  // so that it cannot be left out
  throw OptionError(
      needed ? std::vector<std::string>() : std::vector{"exclude=" + column.name},
      fmt::format("{}: the value is missing, as it is in every row; fill the column in, or {}",
                  places.place(0, column.name), needed ? "name another one for it" : "leave it out"));
}

[[noreturn]] void fail_missing(const RowPlaces& places, const RawColumn& raw, std::size_t rows,
                               const ReadTableOptions& options) {
  const TableColumn& column = raw.column;
  if (column.missing == rows) fail_empty(places, column, options);
  throw OptionError(remedies_for_missing(column.name, options),
                    fmt::format("{}: the value is missing ('{}'), in {} of {} rows; fill it in, remove the "
                                "line, or say what becomes of missing values",
                                places.place(raw.first_missing->row, column.name), raw.first_missing->text,
                                column.missing, rows));
}

[[noreturn]] void fail_no_row(const RowPlaces& places, const std::vector<TableColumn>& columns,
                              std::size_t rows, const ReadTableOptions& options) {
  const AskedColumns asked(options);
  const TableColumn* worst = nullptr;
  for (const TableColumn& column : columns) {
    const bool needed = asked.needs(column.name);
    if (needed && column.missing == rows) fail_empty(places, column, options);
    const bool is_worse = worst == nullptr || column.missing > worst->missing;
    if (!needed && column.missing > 0 && is_worse) worst = &column;
  }
  const std::string why =
      fmt::format("'{}': no row is left, as a value is missing in each", places.path().string());
  if (worst == nullptr || options.missing != MissingValues::drop)
    throw Error(why + " of the columns that are asked for; fill them in");
  throw OptionError({"exclude=" + worst->name},
                    fmt::format("{}; leave out columns that have few, such as '{}'", why, worst->name));
}

void keep_rows(TableColumn& column, const std::vector<std::size_t>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (column.is_number)
      column.numbers[i] = column.numbers[rows[i]];
    else
      column.codes[i] = column.codes[rows[i]];
  (column.is_number ? column.numbers.resize(rows.size()) : column.codes.resize(rows.size()));
  column.missing = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) column.missing += column.lacks_value(i) ? 1 : 0;
}

}  // namespace

std::vector<std::string> remedies_for_missing(const std::string& column, const ReadTableOptions& options) {
  // A row that lacks what must be complete is dropped in any case.
  const AskedColumns asked(options);
  if (asked.numbers.contains(column) && !asked.complete.contains(column)) return {"missing=drop"};
  return {"missing=drop", "missing=mean", "missing=level"};
}

Table table_of(const RowPlaces& places, std::size_t rows, std::vector<RawColumn> columns,
               const ReadTableOptions& options, std::vector<std::string> notes) {
  const AskedColumns asked(options);
  std::vector<char> dropped(rows, 0);
  std::vector<TableColumn> ready;
  const RawColumn* first = nullptr;
  for (RawColumn& raw : columns) {
    if (!raw.first_missing) continue;
    const bool drops = options.missing == MissingValues::drop || asked.complete.contains(raw.column.name);
    for (std::size_t row = 0; row < rows; ++row) {
      if (!raw.column.lacks_value(row)) continue;
      ++raw.column.missing;
      if (drops) dropped[row] = 1;
    }
    if (first == nullptr || raw.first_missing->row < first->first_missing->row) first = &raw;
  }
  if (first != nullptr && options.missing == MissingValues::error)
    fail_missing(places, *first, rows, options);
  for (RawColumn& raw : columns) ready.push_back(std::move(raw.column));
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < rows; ++row)
    if (dropped[row] == 0) kept.push_back(row);
  if (kept.size() == rows)
    return {places, rows, std::move(ready), std::move(notes), options.delimiter, options.style};
  if (kept.empty()) fail_no_row(places, ready, rows, options);
  for (TableColumn& column : ready) keep_rows(column, kept);
  notes.push_back(
      fmt::format("{} of {} rows have no value in a column and are left out", rows - kept.size(), rows));
  return {places.only(kept), kept.size(),       std::move(ready),
          std::move(notes),  options.delimiter, options.style};
}

}  // namespace gradus
