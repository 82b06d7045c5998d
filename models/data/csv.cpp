#include "gradus/data/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "gradus/base/error.hpp"
#include "gradus/data/mapped_file.hpp"
#include "models/data/utf8.hpp"

namespace gradus {

namespace {

constexpr std::string_view what = "CSV file";
constexpr std::size_t rows_to_judge_by = 100;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The whole of a text as a number; nothing when it is none. Infinities and NaN are numbers here.
std::optional<double> number_of(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range && end == text.data() + text.size()) return INFINITY;
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// How people write that there is no value.
bool is_missing(std::string_view text) {
  constexpr std::array<std::string_view, 9> words{"", "?", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"};
  return std::ranges::find(words, trimmed(text)) != words.end();
}

struct Hash : std::hash<std::string_view> {
  using is_transparent = void;
};

// One pass over the bytes, field by field.
class CsvParser {
 public:
  CsvParser(const std::filesystem::path& path, const ReadTableOptions& options, std::string_view bytes)
      : path_(path), options_(options), at_(bytes.data()), end_(bytes.data() + bytes.size()) {
    if (bytes.starts_with(byte_order_mark)) at_ += byte_order_mark.size();
  }

  Table parse() {
    skip_empty_lines();
    if (at_ == end_) fail_file("it is empty; expected a header line and rows");
    read_names();
    choose_columns();
    const char* rows_begin = at_;
    for (skip_empty_lines(); at_ < end_; skip_empty_lines()) {
      read_row();
      if (rows_ == rows_to_judge_by) make_room(static_cast<std::size_t>(at_ - rows_begin));
    }
    if (rows_ == 0) fail_file("there are no rows below the header; add some");
    return {path_, rows_, std::move(columns_), std::move(shifts_)};
  }

 private:
  struct Target {
    TableColumn* column = nullptr;  // null: not read
    bool is_text = false;
    bool must_be_number = false;
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> codes;
  };

  [[noreturn]] void fail_file(const std::string& why) const {
    throw Error(fmt::format("{}: {}", place(), why));
  }
  // `options`: those that would mend it.
  [[noreturn]] void fail_line(const std::string& why, std::vector<std::string> options = {}) const {
    throw OptionError(std::move(options), fmt::format("{}:{}: {}", path_.string(), line_, why));
  }
  [[noreturn]] void fail_field(std::size_t field, const std::string& why,
                               std::vector<std::string> options = {}) const {
    const std::string column =
        field < names_.size() ? fmt::format("'{}'", names_[field]) : std::to_string(field + 1);
    fail_line(fmt::format("column {}: {}", column, why), std::move(options));
  }
  std::string place() const { return fmt::format("{} '{}'", what, path_.string()); }

  bool at_line_end() const {
    return at_ == end_ || *at_ == '\n' || (*at_ == '\r' && (at_ + 1 == end_ || at_[1] == '\n'));
  }

  void pass_line_end() {
    if (at_ < end_ && *at_ == '\r') ++at_;
    if (at_ < end_) ++at_;
    line_ += 1 + breaks_;
    breaks_ = 0;
  }

  void skip_empty_lines() {
    while (at_ < end_ && at_line_end()) pass_line_end();
  }

  // The field at hand, without its quotes; the next byte is then a delimiter or a line's end.
  std::string_view read_field(std::size_t field) {
    if (at_ < end_ && *at_ == '"') return read_quoted(field);
    const char* start = at_;
    while (at_ < end_ && *at_ != options_.delimiter && *at_ != '\n' && *at_ != '\r') ++at_;
    // A lone carriage return belongs to the field.
    while (!(at_line_end() || *at_ == options_.delimiter)) ++at_;
    return {start, static_cast<std::size_t>(at_ - start)};
  }

  std::string_view read_quoted(std::size_t field) {
    unquoted_.clear();
    for (++at_;; ++at_) {
      if (at_ == end_) fail_field(field, "the quote is never closed; add the closing \"");
      if (*at_ == '"') {
        if (at_ + 1 == end_ || at_[1] != '"') break;
        ++at_;
      }
      breaks_ += *at_ == '\n' ? 1 : 0;
      unquoted_ += *at_;
    }
    ++at_;
    if (!at_line_end() && *at_ != options_.delimiter)
      fail_field(field, "there is text behind the closing quote; write \"\" for a quote inside of quotes");
    return unquoted_;
  }

  // True when there is another field on the line.
  bool pass_delimiter() {
    if (at_line_end()) return false;
    ++at_;
    return true;
  }

  void read_names() {
    const char* start = at_;
    std::vector<std::string> fields;
    do fields.emplace_back(trimmed(read_field(fields.size())));
    while (pass_delimiter());
    if (!options_.header) {
      at_ = start;
      breaks_ = 0;
      for (std::size_t i = 0; i < fields.size(); ++i) names_.push_back(fmt::format("c{}", i + 1));
      return;
    }
    if (std::ranges::all_of(fields, [](const auto& f) { return number_of(f).has_value(); }))
      fail_line(
          "a header with the columns' names was expected, but all fields are numbers; add one, or read the "
          "file without a header",
          {"header=false"});
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].empty())
        fail_line(fmt::format("column {} has no name in the header; give it one", i + 1));
      if (!is_utf8(fields[i]))
        fail_line(fmt::format("the name of column {} is not UTF-8; save the file as UTF-8", i + 1));
      if (std::ranges::count(fields, fields[i]) > 1)
        fail_line(fmt::format("two columns are called '{}'; rename one", fields[i]));
    }
    names_ = std::move(fields);
    pass_line_end();
  }

  std::size_t index_of(const std::string& name) const {
    const auto found = std::ranges::find(names_, name);
    if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
    throw no_column(place(), name, names_);
  }

  void choose_columns() {
    const auto& wanted = options_.columns.empty() ? names_ : options_.columns;
    columns_.resize(wanted.size());
    targets_.resize(names_.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      Target& target = targets_[index_of(wanted[i])];
      if (target.column != nullptr) fail_file(fmt::format("column '{}' is asked for twice", wanted[i]));
      target.column = &columns_[i];
      target.column->name = wanted[i];
    }
    for (const std::string& name : options_.text) targets_[index_of(name)].is_text = true;
    for (const std::string& name : options_.numbers) targets_[index_of(name)].must_be_number = true;
  }

  // Reserves memory for all rows, assuming that the rest are as long as those read so far. Growing the
  // vectors instead would touch every page of memory twice.
  void make_room(std::size_t bytes) {
    const std::size_t rows = rows_ + rows_ * static_cast<std::size_t>(end_ - at_) / bytes + rows_;
    for (TableColumn& column : columns_)
      if (column.is_number)
        column.numbers.reserve(rows);
      else
        column.codes.reserve(rows);
  }

  void read_row() {
    if (const std::uint64_t shift = line_ - rows_; shifts_.empty() || shifts_.back().second != shift)
      shifts_.emplace_back(rows_, shift);
    std::size_t field = 0;
    do {
      if (field == targets_.size()) {
        read_field(field);
        fail_ragged(count_fields(field + 1));
      }
      Target& target = targets_[field];
      if (target.column == nullptr)
        read_field(field);
      else if (rows_ == 0 || target.is_text || !read_number_fast(*target.column))
        read_value(target, field);
      ++field;
    } while (pass_delimiter());
    if (field != targets_.size()) fail_ragged(field);
    ++rows_;
    pass_line_end();
  }

  // To the end of the line; how many fields it has, `fields` of which are behind us.
  std::size_t count_fields(std::size_t fields) {
    for (; pass_delimiter(); ++fields) read_field(fields);
    return fields;
  }

  [[noreturn]] void fail_ragged(std::size_t fields) const {
    fail_line(fmt::format("{} fields, but there are {} columns{}", fields, targets_.size(),
                          fields > targets_.size() ? "; put fields that hold a delimiter into quotes"
                                                   : "; add what is missing"));
  }

  // Reads a plain number that a delimiter follows, which nearly all fields of number columns are; false, and
  // nothing is read, for any other field.
  bool read_number_fast(TableColumn& column) {
    double value = 0;
    const char* start = at_;
    const auto [next, error] = std::from_chars(at_, end_, value);
    if (error != std::errc() || !std::isfinite(value)) return false;
    at_ = next;
    if (!at_line_end() && *at_ != options_.delimiter) return at_ = start, false;
    column.numbers.push_back(value);
    return true;
  }

  void read_value(Target& target, std::size_t field) {
    const std::string_view text = read_field(field);
    TableColumn& column = *target.column;
    if (rows_ == 0) {
      if (is_missing(text) && !target.is_text) fail_missing(field, text);
      target.is_text = target.is_text || (!target.must_be_number && !number_of(text));
      column.is_number = !target.is_text;
    }
    if (target.is_text) return add_label(target, field, text);
    const auto value = number_of(text);
    if (value && std::isfinite(*value)) return column.numbers.push_back(*value);
    // A field that is left out makes the others look wrong: that is then what to say.
    const std::string shown(trimmed(text));
    if (const std::size_t fields = count_fields(field + 1); fields != targets_.size()) fail_ragged(fields);
    if (is_missing(shown)) fail_missing(field, shown);
    if (value)
      fail_field(field, fmt::format("'{}' is no finite number that a double holds; correct it", shown));
    fail_field(field,
               fmt::format("'{}' is not a number, as {} are; correct it, or read the column as text", shown,
                           target.must_be_number ? "its values must be" : "those before"),
               {"text=" + column.name});
  }

  void add_label(Target& target, std::size_t field, std::string_view text) {
    text = trimmed(text);
    if (text.empty()) fail_missing(field, text);
    auto found = target.codes.find(text);
    if (found == target.codes.end()) {
      if (!is_utf8(text)) fail_field(field, "the text is not UTF-8; save the file as UTF-8");
      found = target.codes.emplace(text, static_cast<std::uint32_t>(target.codes.size())).first;
      target.column->labels.emplace_back(text);
    }
    target.column->codes.push_back(found->second);
  }

  [[noreturn]] void fail_missing(std::size_t field, std::string_view text) const {
    fail_field(field, fmt::format("the value is missing ('{}'); fill it in, or remove the line", text));
  }

  const std::filesystem::path& path_;
  const ReadTableOptions& options_;
  std::size_t rows_ = 0;
  std::vector<TableColumn> columns_;
  Table::Shifts shifts_;
  const char* at_;
  const char* end_;
  std::uint64_t line_ = 1;
  std::uint64_t breaks_ = 0;  // within quotes on the line at hand
  std::vector<std::string> names_;
  std::vector<Target> targets_;  // by field
  std::string unquoted_;
};

}  // namespace

Table parse_csv(std::string_view text, const std::filesystem::path& path, const ReadTableOptions& options) {
  return CsvParser(path, options, text).parse();
}

Table read_csv(const std::filesystem::path& path, const ReadTableOptions& options) {
  const MappedFile file(path, what);
  return parse_csv(file.bytes(), path, options);
}

std::string csv_field(std::string_view text, char delimiter) {
  const char special[] = {delimiter, '"', '\n', '\r', '\0'};
  if (text.find_first_of(special) == std::string_view::npos && trimmed(text) == text &&
      !text.starts_with(byte_order_mark))
    return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

}  // namespace gradus
