#include "gradus/data/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "gradus/base/error.hpp"
#include "gradus/data/mapped_file.hpp"
#include "models/data/column_kinds.hpp"
#include "models/data/csv_scanner.hpp"
#include "models/data/missing_marks.hpp"
#include "models/data/number_text.hpp"
#include "models/data/utf8.hpp"

namespace gradus {

namespace {

constexpr std::string_view what = "CSV file";
constexpr std::size_t rows_to_judge_by = 100;

struct Hash : std::hash<std::string_view> {
  using is_transparent = void;
};

// How many fields the line has, without empty ones at its end; 0 when it cannot be read.
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

// Whether the line can be one of so many fields. A comment has quotes anywhere, so that its delimiters count,
// too.
bool may_have(const CsvScanner& scanner, std::size_t fields) {
  const std::string_view line = scanner.rest_of_line();
  const char delimiter = scanner.delimiter();
  const std::size_t end = line.find_last_not_of(std::string{delimiter, ' ', '\t'});
  const auto count = [&](std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count(text, delimiter)) + 1;
  };
  return count(line) == fields || count(line.substr(0, end + 1)) == fields || fields_ahead(scanner) == fields;
}

bool is_comment(std::string_view line) { return line.starts_with('#'); }

// One pass over the bytes, field by field.
class CsvParser {
 public:
  // Columns called `as_labels` begin with a number and are to be read as labels all the same.
  CsvParser(const std::filesystem::path& path, const ReadTableOptions& options, std::string_view bytes,
            const std::vector<std::string>& as_labels)
      : path_(path), options_(options), as_labels_(as_labels), scanner_(bytes, options.delimiter) {
    fast_ = options.style.decimal == '.' && !marks_.has_numbers();
  }

  void parse() {
    scanner_.skip_empty_lines();
    if (scanner_.at_end()) fail_file("it is empty; expected a header line and rows");
    read_names();
    choose_columns();
    const std::size_t rows_begin = scanner_.left();
    for (scanner_.skip_empty_lines(); !scanner_.at_end(); scanner_.skip_empty_lines()) {
      if (passes_over_line()) continue;
      read_row();
      if (rows_ == rows_to_judge_by) make_room(rows_begin - scanner_.left());
    }
    if (rows_ == 0) fail_file("there are no rows below the header; add some");
  }

  std::size_t rows() const { return rows_; }
  char delimiter() const { return scanner_.delimiter(); }
  RowPlaces places() const { return {path_, shifts_}; }
  std::vector<RawColumn>& columns() { return columns_; }

  // Sentences on what was passed over.
  std::vector<std::string> notes() const {
    std::vector<std::string> notes;
    if (scanner_.names_delimiter())
      notes.push_back(
          fmt::format("its first line says that '{}' separates the columns", scanner_.delimiter()));
    if (scanner_.carriage_returns()) notes.emplace_back("its lines end with carriage returns");
    if (comments_ > 0) notes.push_back(fmt::format("{} comments (#) are passed over", comments_));
    if (blank_rows_ > 0) notes.push_back(fmt::format("{} rows of empty fields are passed over", blank_rows_));
    if (trailing_) notes.emplace_back("empty fields behind the last column are passed over");
    return notes;
  }

 private:
  struct Target {
    RawColumn* raw = nullptr;  // null: not read
    bool by_labels = false;
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> codes;
  };

  [[noreturn]] void fail_file(const std::string& why) const {
    throw Error(fmt::format("{}: {}", place(), why));
  }
  // `options`: those that would mend it.
  [[noreturn]] void fail_line(const std::string& why, std::vector<std::string> options = {}) const {
    throw OptionError(std::move(options), fmt::format("{}:{}: {}", path_.string(), scanner_.line(), why));
  }
  [[noreturn]] void fail_field(std::size_t field, const std::string& why) const {
    const std::string column =
        field < names_.size() ? fmt::format("'{}'", names_[field]) : std::to_string(field + 1);
    fail_line(fmt::format("column {}: {}", column, why));
  }
  std::string place() const { return fmt::format("{} '{}'", what, path_.string()); }

  std::string_view read_field(std::size_t field) {
    try {
      return scanner_.read_field();
    } catch (const Error& error) {
      fail_field(field, error.what());
    }
  }

  // A line that begins with # is a comment unless it has as many fields as the table.
  void skip_leading_comments() {
    while (is_comment(scanner_.rest_of_line())) {
      CsvScanner ahead(scanner_);
      while (!ahead.at_end() && (ahead.at_line_end() || is_comment(ahead.rest_of_line()))) ahead.skip_line();
      if (ahead.at_end() || may_have(scanner_, fields_ahead(ahead))) return;
      ++comments_;
      scanner_.skip_line();
      scanner_.skip_empty_lines();
    }
  }

  bool passes_over_line() {
    const char first = scanner_.peek();
    if (first != '#' && first != scanner_.delimiter() && first != ' ' && first != '\t') return false;
    const std::string_view line = scanner_.rest_of_line();
    const bool comment = is_comment(line) && !may_have(scanner_, targets_.size());
    const bool blank =
        line.find(scanner_.delimiter()) != std::string_view::npos &&
        line.find_first_not_of(std::string{scanner_.delimiter(), ' ', '\t'}) == std::string_view::npos;
    if (!comment && !blank) return false;
    ++(comment ? comments_ : blank_rows_);
    scanner_.skip_line();
    return true;
  }

  void read_names() {
    skip_leading_comments();
    const CsvScanner start = scanner_;
    std::vector<std::string> fields;
    do fields.emplace_back(trimmed(read_field(fields.size())));
    while (scanner_.pass_delimiter());
    const std::size_t all = fields.size();
    while (fields.size() > 1 && fields.back().empty()) fields.pop_back();
    nameless_ = all - fields.size();
    if (is_comment(start.rest_of_line()) && fields[0].starts_with("# "))
      fields[0] = trimmed(std::string_view(fields[0]).substr(2));
    bool header = options_.header;
    if (!header) {
      for (std::size_t i = 0; i < all; ++i) names_.push_back(fmt::format("c{}", i + 1));
      header =
          fields == std::vector(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(fields.size()));
      if (!header) scanner_ = start;
      names_.resize(header ? fields.size() : all);
      if (header) scanner_.pass_line_end();
      trim_unnamed(start);
      return;
    }
    check_names(fields);
    names_ = std::move(fields);
    trailing_ = nameless_ > 0;
    scanner_.pass_line_end();
  }

  // Without a header, a last column that is empty in the first row and all others is none.
  void trim_unnamed(CsvScanner ahead) {
    const char delimiter = ahead.delimiter();
    const auto ends_with_delimiter = [&](std::string_view line) {
      return delimiter != ' ' && delimiter != '\t' && trimmed(line).ends_with(delimiter);
    };
    for (; !ahead.at_end(); ahead.skip_line())
      if (!ahead.at_line_end() && !ends_with_delimiter(ahead.rest_of_line())) return;
    if (names_.size() > 1) names_.pop_back();
  }

  void check_names(const std::vector<std::string>& fields) const {
    if (std::ranges::all_of(fields, [&](const auto& f) { return number_of(f, options_.style).has_value(); }))
      fail_line(
          "a header with the columns' names was expected, but all fields are numbers; add one, or read the "
          "file without a header",
          {"header=false"});
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].empty())
        fail_line(fmt::format("column {} has no name in the header; give it one", i + 1));
      const bool marked = fields[i].starts_with("\xFF\xFE") || fields[i].starts_with("\xFE\xFF");
      if (marked || fields[i].find('\0') != std::string::npos)
        fail_line(fmt::format(
            "the name of column {} is not UTF-8, for the file seems to be UTF-16; save it as UTF-8", i + 1));
      if (!is_utf8(fields[i]))
        fail_line(fmt::format("the name of column {} is not UTF-8; save the file as UTF-8", i + 1));
      if (std::ranges::count(fields, fields[i]) > 1)
        fail_line(fmt::format("two columns are called '{}'; rename one", fields[i]));
    }
  }

  std::size_t index_of(const std::string& name) const {
    const auto found = std::ranges::find(names_, name);
    if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
    throw no_column(place(), name, names_);
  }

  void choose_columns() {
    for (const auto* names :
         {&options_.exclude, &options_.complete, &options_.text, &options_.numbers, &options_.dates})
      for (const std::string& name : *names) index_of(name);
    std::vector<std::string> wanted;
    for (const std::string& name : options_.columns.empty() ? names_ : options_.columns)
      if (!contains(options_.exclude, name)) wanted.push_back(name);
    columns_.resize(wanted.size());
    targets_.resize(names_.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      Target& target = targets_[index_of(wanted[i])];
      if (target.raw != nullptr) fail_file(fmt::format("column '{}' is asked for twice", wanted[i]));
      target.raw = &columns_[i];
      target.raw->column.name = wanted[i];
      target.by_labels = contains(as_labels_, wanted[i]) || contains(options_.text, wanted[i]) ||
                         contains(options_.dates, wanted[i]);
      target.raw->column.is_number = !target.by_labels;
    }
  }

  // Reserves memory for all rows, assuming that the rest are as long as those read so far. Growing the
  // vectors instead would touch every page of memory twice.
  void make_room(std::size_t bytes) {
    const std::size_t rows = rows_ + rows_ * scanner_.left() / bytes + rows_;
    for (RawColumn& raw : columns_)
      if (raw.column.is_number)
        raw.column.numbers.reserve(rows);
      else
        raw.column.codes.reserve(rows);
  }

  void read_row() {
    if (const std::uint64_t shift = scanner_.line() - rows_;
        shifts_.empty() || shifts_.back().second != shift)
      shifts_.emplace_back(rows_, shift);
    std::size_t field = 0;
    do {
      if (field >= targets_.size()) {
        if (!trimmed(read_field(field)).empty()) fail_ragged(count_fields(field + 1));
        trailing_ = true;
      } else {
        read_value(targets_[field], field);
      }
      ++field;
    } while (scanner_.pass_delimiter());
    if (field < targets_.size()) fail_ragged(field);
    ++rows_;
    scanner_.pass_line_end();
  }

  // To the end of the line; how many fields it has, `fields` of which are behind us.
  std::size_t count_fields(std::size_t fields) {
    for (; scanner_.pass_delimiter(); ++fields) read_field(fields);
    return fields;
  }

  [[noreturn]] void fail_ragged(std::size_t fields) const {
    std::string remedy = "; add what is missing";
    std::vector<std::string> options;
    if (fields > targets_.size() && fields <= targets_.size() + nameless_)
      remedy = fmt::format("; give column {} a name in the header", targets_.size() + 1);
    else if (fields > targets_.size() && targets_.size() == 1)
      remedy = "; if the first line is a title, remove it, and put fields that hold a delimiter into quotes";
    else if (fields > targets_.size())
      remedy = "; put fields that hold a delimiter into quotes";
    const std::size_t other = names_[0].find_first_of(";\t|");
    if (targets_.size() == 1 && other != std::string::npos) {
      const std::string delimiter = names_[0][other] == '\t' ? "tab" : names_[0].substr(other, 1);
      remedy = fmt::format("; if '{}' separates the columns, say so", delimiter);
      options.push_back("delimiter=" + delimiter);
    }
    fail_line(fmt::format("{} fields, but there are {} columns{}", fields, targets_.size(), remedy), options);
  }

  void read_value(Target& target, std::size_t field) {
    if (target.raw == nullptr) {
      read_field(field);
      return;
    }
    RawColumn& raw = *target.raw;
    if (fast_ && !target.by_labels)
      if (const auto value = scanner_.read_plain_number()) return raw.column.numbers.push_back(*value);
    const std::string_view text = trimmed(read_field(field));
    bool missing = is_missing_number(text);
    if (!target.by_labels) {
      const auto value = number_of(text, options_.style);
      const bool is_marked = marks_.have_field(text, value);
      missing = missing || is_marked;
      if (value && std::isfinite(*value) && !is_marked) return raw.column.numbers.push_back(*value);
      // The first row gives only a guess.
      if (rows_ == 0) {
        target.by_labels = true;
        raw.column.is_number = false;
      }
    }
    if (target.by_labels) return add_label(target, field, text);
    raw.column.numbers.push_back(NAN);
    if (!missing)
      raw.has_words = true;
    else if (!raw.first_missing)
      raw.first_missing = Sample{rows_, std::string(text)};
  }

  void add_label(Target& target, std::size_t field, std::string_view text) {
    auto found = target.codes.find(text);
    if (found == target.codes.end()) {
      if (!is_utf8(text)) fail_field(field, "the text is not UTF-8; save the file as UTF-8");
      if (text.find('\0') != std::string_view::npos)
        fail_field(field, "there is a zero byte in it, so the file is no text, or UTF-16; save it as UTF-8");
      found = target.codes.emplace(text, static_cast<std::uint32_t>(target.codes.size())).first;
      target.raw->column.labels.emplace_back(text);
    }
    target.raw->column.codes.push_back(found->second);
  }

  const std::filesystem::path& path_;
  const ReadTableOptions& options_;
  const std::vector<std::string>& as_labels_;
  const MissingMarks marks_{options_};
  bool fast_ = true;
  std::size_t rows_ = 0;
  std::vector<RawColumn> columns_;
  RowPlaces::Shifts shifts_;
  CsvScanner scanner_;
  std::vector<std::string> names_;
  std::vector<Target> targets_;  // by field
  std::size_t nameless_ = 0;     // empty fields at the header's end
  std::size_t comments_ = 0;
  std::size_t blank_rows_ = 0;
  bool trailing_ = false;
};

void check_options(const ReadTableOptions& options) {
  const auto& [decimal, thousands] = options.style;
  if (decimal == thousands)
    throw OptionError({"decimal", "thousands"},
                      fmt::format("'{}' cannot be the decimal sign and separate thousands, too; give one of "
                                  "them another character",
                                  decimal));
}

}  // namespace

Table parse_csv(std::string_view text, const std::filesystem::path& path, const ReadTableOptions& options) {
  check_options(options);
  // A column that begins with numbers may turn out to be text: the file is then read once more.
  std::vector<std::string> as_labels;
  while (true) {
    CsvParser parser(path, options, text, as_labels);
    parser.parse();
    const RowPlaces places = parser.places();
    const ColumnKinds kinds(places, options);
    const std::size_t known = as_labels.size();
    for (RawColumn& raw : parser.columns())
      if (!kinds.resolve(raw)) as_labels.push_back(raw.column.name);
    if (as_labels.size() > known) continue;
    ReadTableOptions found = options;
    found.delimiter = parser.delimiter();
    return table_of(places, parser.rows(), std::move(parser.columns()), found, parser.notes());
  }
}

Table read_csv(const std::filesystem::path& path, const ReadTableOptions& options) {
  const MappedFile file(path, what);
  return parse_csv(file.bytes(), path, options);
}

std::string csv_field(std::string_view text, char delimiter) {
  const char special[] = {delimiter, '"', '\n', '\r', '\0'};
  const bool means_more = text.starts_with(byte_order_mark) || text.starts_with('#') ||
                          text.starts_with("sep=") || text.starts_with("SEP=");
  if (text.find_first_of(special) == std::string_view::npos && trimmed(text) == text && !means_more)
    return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

}  // namespace gradus
