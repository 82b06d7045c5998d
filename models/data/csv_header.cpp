#include "models/data/csv_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "gradus/base/error.hpp"
#include "models/data/file_kind.hpp"
#include "models/data/number_text.hpp"
#include "models/data/utf8.hpp"

namespace gradus {

namespace {

bool begins_as_comment(const CsvScanner& scanner) { return !scanner.at_end() && scanner.peek() == '#'; }

class CsvHeaderReader {
 public:
  CsvHeaderReader(CsvScanner& scanner, const std::filesystem::path& path, const ReadTableOptions& options)
      : scanner_(scanner), path_(path), options_(options) {}

  CsvHeader read() {
    skip_what_precedes();
    header_.line = scanner_.line();
    const CsvScanner start = scanner_;
    std::vector<std::string> fields = read_fields();
    const std::size_t all = fields.size();
    while (fields.size() > 1 && fields.back().empty()) fields.pop_back();
    header_.nameless = all - fields.size();
    if (begins_as_comment(start) && fields[0].starts_with("# "))
      fields[0] = trimmed(std::string_view(fields[0]).substr(2));
    scanner_.pass_line_end();
    if (!options_.header) {
      number_columns(start, fields, all);
      return std::move(header_);
    }
    check_names(fields);
    header_.names = std::move(fields);
    compare_with_rows();
    const auto named = std::ranges::find_if(header_.names, [](const auto& name) { return !name.empty(); });
    if (named != header_.names.end())
      header_.indices = static_cast<std::size_t>(named - header_.names.begin());
    return std::move(header_);
  }

 private:
  [[noreturn]] void fail_line(const std::string& why, std::vector<std::string> options = {}) const {
    throw OptionError(std::move(options), fmt::format("{}:{}: {}", path_.string(), header_.line, why));
  }

  void skip_what_precedes() {
    while (true) {
      scanner_.skip_empty_lines();
      if (scanner_.at_end())
        throw Error(
            fmt::format("CSV file '{}': it is empty; expected a header line and rows", path_.string()));
      const bool blank = is_blank_row(scanner_);
      if (!blank && !is_leading_comment()) return;
      ++(blank ? header_.blank_rows : header_.comments);
      scanner_.skip_line();
    }
  }

  // A line that begins with # is a comment unless it has as many fields as the line behind it.
  bool is_leading_comment() {
    if (!begins_as_comment(scanner_)) return false;
    if (!fields_behind_) fields_behind_ = count_fields_behind();
    return *fields_behind_ && is_comment_line(scanner_, **fields_behind_);
  }

  // The fields of the next line that is neither blank nor begins with #, if there is one.
  std::optional<std::size_t> count_fields_behind() const {
    CsvScanner ahead(scanner_);
    for (ahead.skip_line(); !ahead.at_end(); ahead.skip_line()) {
      ahead.skip_empty_lines();
      if (!ahead.at_end() && !begins_as_comment(ahead) && !is_blank_row(ahead)) break;
    }
    return ahead.at_end() ? std::nullopt : std::optional(fields_ahead(ahead));
  }

  std::vector<std::string> read_fields() {
    std::vector<std::string> fields;
    try {
      do fields.emplace_back(trimmed(scanner_.read_field()));
      while (scanner_.pass_delimiter());
    } catch (const Error& error) {
      fail_line(fmt::format("column {}: {}", fields.size() + 1, error.what()));
    }
    return fields;
  }

  // Without a header, the first line is a row, unless it has the names that a table without them gets.
  void number_columns(const CsvScanner& start, const std::vector<std::string>& fields, std::size_t all) {
    for (std::size_t i = 0; i < all; ++i) header_.names.push_back(fmt::format("c{}", i + 1));
    const auto end = header_.names.begin() + static_cast<std::ptrdiff_t>(fields.size());
    if (fields == std::vector(header_.names.begin(), end)) {
      header_.names.erase(end, header_.names.end());
      return;
    }
    scanner_ = start;
    header_.nameless = 0;
    if (header_.names.size() > 1 && all_lines_end_with_delimiter(start)) header_.names.pop_back();
  }

  // A last column that is empty in all rows is none.
  static bool all_lines_end_with_delimiter(CsvScanner ahead) {
    const char delimiter = ahead.delimiter();
    if (delimiter == ' ' || delimiter == '\t') return false;
    for (ahead.skip_empty_lines(); !ahead.at_end(); ahead.skip_empty_lines()) {
      if (!trimmed(ahead.rest_of_line()).ends_with(delimiter)) return false;
      ahead.skip_line();
    }
    return true;
  }

  // These are names if the columns that are asked for are among them.
  [[noreturn]] void fail_numbers(const std::vector<std::string>& fields) const {
    std::vector<std::string> asked = options_.columns;
    for (const auto* names : {&options_.complete, &options_.text, &options_.numbers, &options_.exclude})
      asked.insert(asked.end(), names->begin(), names->end());
    const auto is_there = [&](const auto& name) { return std::ranges::find(fields, name) != fields.end(); };
    const bool are_names = !asked.empty() && std::ranges::all_of(asked, is_there);
    fail_line(fmt::format(
                  "a header with the columns' names was expected, but all fields are numbers; {}",
                  are_names ? "if they are the names, say so" : "add one, or read the file without a header"),
              {are_names ? "names_are_numbers" : "header=false"});
  }

  void check_names(const std::vector<std::string>& fields) const {
    const auto is_number = [&](const std::string& f) { return number_of(f, options_.style).has_value(); };
    if (!options_.names_are_numbers && std::ranges::all_of(fields, is_number)) fail_numbers(fields);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!is_utf8(fields[i]))
        fail_line(fmt::format("the name of column {} is not UTF-8; save the file as UTF-8", i + 1));
      if (fields[i].find('\0') != std::string::npos)
        fail_line(fmt::format("there is a zero byte in the name of column {}; remove it", i + 1));
    }
  }

  // Looks whether the first rows have more fields than there are names.
  void compare_with_rows() {
    if (header_.nameless == 0 && header_.names.size() > 1 && rows_have_names(scanner_)) {
      header_.names_rows = true;
      header_.names.insert(header_.names.begin(), std::string());
      return;
    }
    CsvScanner ahead(scanner_);
    for (ahead.skip_empty_lines(); !ahead.at_end() && is_blank_row(ahead); ahead.skip_empty_lines())
      ahead.skip_line();
    header_.may_be_title = !ahead.at_end() && fields_ahead(ahead) > header_.names.size();
  }

  // Some programs give each row a name, and none to the column of these names. A row that has a field too
  // many for want of quotes or because of a decimal comma must not be taken for that: between commas, names
  // are in quotes.
  bool rows_have_names(CsvScanner ahead) const {
    constexpr int enough = 20;
    int rows = 0;
    for (ahead.skip_empty_lines(); !ahead.at_end() && rows < enough; ahead.skip_empty_lines()) {
      if (begins_as_comment(ahead) || is_blank_row(ahead)) {
        ahead.skip_line();
        continue;
      }
      if (ahead.delimiter() == ',' && ahead.peek() != '"') return false;
      if (fields_ahead(ahead) != header_.names.size() + 1) return false;
      do ahead.read_field();
      while (ahead.pass_delimiter());
      ahead.pass_line_end();
      ++rows;
    }
    return rows > 0;
  }

  CsvScanner& scanner_;
  const std::filesystem::path& path_;
  const ReadTableOptions& options_;
  CsvHeader header_;
  std::optional<std::optional<std::size_t>>
      fields_behind_;  // the same for all comments in front of that line
};

}  // namespace

std::size_t fields_ahead(CsvScanner scanner) {
  std::size_t fields = 0, last = 0;
  try {
    do {
      ++fields;
      if (!trimmed(scanner.read_field()).empty()) last = fields;
    } while (scanner.pass_delimiter());
  } catch (const Error&) {
    return 0;
  }
  return last;
}

bool is_comment_line(const CsvScanner& scanner, std::size_t columns) {
  if (!begins_as_comment(scanner)) return false;
  // A comment has quotes anywhere, so that its delimiters count, too.
  const std::string_view line = scanner.rest_of_line();
  const char delimiter = scanner.delimiter();
  const std::size_t end = line.find_last_not_of(std::string{delimiter, ' ', '\t'});
  const auto count = [&](std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count(text, delimiter)) + 1;
  };
  return count(line) != columns && count(line.substr(0, end + 1)) != columns &&
         fields_ahead(scanner) != columns;
}

bool is_blank_row(const CsvScanner& scanner) {
  const char first = scanner.peek(), delimiter = scanner.delimiter();
  if (first != delimiter && first != ' ' && first != '\t') return false;
  const std::string_view line = scanner.rest_of_line();
  return line.find(delimiter) != std::string_view::npos &&
         line.find_first_not_of(std::string{delimiter, ' ', '\t'}) == std::string_view::npos;
}

std::string CsvHeader::name(std::size_t field) const {
  return is_unnamed(field) ? fmt::format("c{}", field + 1) : names[field];
}

CsvColumnNames::CsvColumnNames(const CsvHeader& header) : count_(header.names.size()) {
  for (std::size_t i = 0; i < count_; ++i)
    if (!header.is_unnamed(i) && !places_.emplace(header.names[i], i).second) twice_.insert(header.names[i]);
  for (std::size_t i = 0; i < count_; ++i)
    if (header.is_unnamed(i)) places_.emplace(header.name(i), i);
}

std::size_t CsvColumnNames::find(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? count_ : found->second;
}

std::vector<std::string> CsvHeader::notes() const {
  std::vector<std::string> notes;
  if (names_rows)
    notes.emplace_back(
        "each row has a field more than the header, the row's name in front, which is left out");
  for (std::size_t i = names_rows ? 1 : 0; i < names.size(); ++i)
    if (is_index(i))
      notes.push_back(fmt::format(
          "column {} has no name, as row numbers have none, and is left out; ask for it as '{}' if it "
          "is needed",
          i + 1, name(i)));
  return notes;
}

void require_csv(std::string_view text, const std::filesystem::path& path) {
  if (const std::string_view why = foreign_kind(text); !why.empty())
    throw Error(fmt::format("CSV file '{}': {}", path.string(), why));
  if (is_utf16(text))
    throw Error(
        fmt::format("{}:1: the name of column 1 is not UTF-8, for the file seems to be UTF-16; save it "
                    "as UTF-8",
                    path.string()));
  if (text.substr(0, text.find('\n')).find('\0') != std::string_view::npos)
    throw Error(fmt::format("{}:1: there is a zero byte in it, so the file is no text; save the table as CSV",
                            path.string()));
}

CsvHeader read_csv_header(CsvScanner& scanner, const std::filesystem::path& path,
                          const ReadTableOptions& options) {
  return CsvHeaderReader(scanner, path, options).read();
}

}  // namespace gradus
