#include "gradus/data/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <unordered_map>

#include "gradus/base/error.hpp"
#include "gradus/data/file_contents.hpp"
#include "models/data/column_kinds.hpp"
#include "models/data/csv_header.hpp"
#include "models/data/csv_scanner.hpp"
#include "models/data/file_kind.hpp"
#include "models/data/missing_marks.hpp"
#include "models/data/number_text.hpp"
#include "models/data/utf8.hpp"

namespace gradus {

namespace {

constexpr std::string_view what = "CSV file";
constexpr std::size_t rows_to_judge_by = 100;
constexpr std::string_view if_title = "if the first line is a title, remove it";

// One pass over the bytes, field by field.
class CsvParser {
 public:
  // Columns called `as_labels` begin with a number and are to be read as labels all the same.
  CsvParser(const std::filesystem::path& path, const ReadTableOptions& options, std::string_view bytes,
            const NameSet& as_labels)
      : path_(path), options_(options), as_labels_(as_labels), scanner_(bytes, options.delimiter) {
    fast_ = options.style.decimal == '.' && !marks_.has_numbers();
  }

  void parse() {
    header_ = read_csv_header(scanner_, path_, options_);
    columns_by_name_ = CsvColumnNames(header_);
    choose_columns();
    const std::size_t rows_begin = scanner_.left();
    while (true) {
      const std::size_t empty = scanner_.skip_empty_lines();
      if (scanner_.at_end()) break;
      empty_lines_ += empty;
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
    const auto count_lines = [&](std::size_t count, std::string_view kind) {
      if (count > 0) notes.push_back(fmt::format("{} {} are passed over", count, kind));
    };
    const bool all = !options_.keep_blank_rows;
    if (all && scanner_.names_delimiter())
      notes.push_back(
          fmt::format("its first line says that '{}' separates the columns", scanner_.delimiter()));
    if (all && scanner_.carriage_returns()) notes.emplace_back("its lines end with carriage returns");
    if (options_.columns.empty()) std::ranges::move(header_.notes(), std::back_inserter(notes));
    count_lines(comments_ + (all ? header_.comments : 0), "comments (#)");
    count_lines(empty_lines_, "empty lines between rows");
    if (!all) return notes;
    count_lines(header_.blank_rows + blank_rows_, "rows of empty fields");
    if (trailing_) notes.emplace_back("empty fields behind the last column are passed over");
    return notes;
  }

 private:
  struct Target {
    RawColumn* raw = nullptr;  // null: not read
    bool by_labels = false;
    std::unordered_map<std::string, std::uint32_t, NameHash, std::equal_to<>> codes;
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
        field < targets_.size() ? fmt::format("'{}'", header_.name(field)) : std::to_string(field + 1);
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

  // Over comments and rows of empty fields; these are rows all the same where each must be kept, but for
  // those at the end.
  bool passes_over_line() {
    const bool blank = is_blank_row(scanner_);
    if (!blank && !is_comment_line(scanner_, targets_.size())) return false;
    if (blank && options_.keep_blank_rows && scanner_.left() > blank_end())
      read_blank_row();
    else
      ++(blank ? blank_rows_ : comments_);
    scanner_.skip_line();
    return true;
  }

  // How many bytes at the file's end belong to no row that has a value.
  std::size_t blank_end() {
    if (!blank_end_) blank_end_ = scanner_.blank_end();
    return *blank_end_;
  }

  void read_blank_row() {
    begin_row();
    for (std::size_t field = 0; field < targets_.size(); ++field)
      if (targets_[field].raw != nullptr) take_text(targets_[field], field, {});
    ++rows_;
  }

  std::size_t index_of(const std::string& name) const {
    const std::size_t found = columns_by_name_.find(name);
    if (found < header_.names.size()) return found;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < header_.names.size(); ++i) names.push_back(header_.name(i));
    const OptionError error = no_column(place(), name, names);
    if (!header_.may_be_title || !error.options().empty()) throw OptionError(error);
    throw OptionError({}, fmt::format("{}; {}", error.what(), if_title));
  }

  void choose_columns() {
    for (const auto* names :
         {&options_.exclude, &options_.complete, &options_.text, &options_.numbers, &options_.dates})
      for (const std::string& name : *names) index_of(name);
    std::vector<std::string> wanted = options_.columns;
    if (wanted.empty())
      for (std::size_t i = 0; i < header_.names.size(); ++i)
        if (!header_.is_index(i) || asked_.names(header_.name(i))) wanted.push_back(header_.name(i));
    std::erase_if(wanted, [&](const std::string& name) { return asked_.exclude.contains(name); });
    columns_.resize(wanted.size());
    targets_.resize(header_.names.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const std::size_t field = index_of(wanted[i]);
      check_name(wanted[i], field);
      Target& target = targets_[field];
      if (target.raw != nullptr) fail_file(fmt::format("column '{}' is asked for twice", wanted[i]));
      target.raw = &columns_[i];
      target.raw->column.name = wanted[i];
      target.by_labels = as_labels_.contains(wanted[i]) || asked_.text.contains(wanted[i]) ||
                         asked_.dates.contains(wanted[i]);
      target.raw->column.is_number = !target.by_labels;
    }
  }

  // A column that nobody asks for may be called as it likes.
  void check_name(const std::string& name, std::size_t field) const {
    const bool unnamed = header_.is_unnamed(field) && options_.columns.empty() && !asked_.names(name);
    if (!unnamed && !columns_by_name_.is_twice(name)) return;
    const bool may_go = options_.columns.empty() && !asked_.complete.contains(name);
    throw OptionError(
        may_go ? std::vector{"exclude=" + name} : std::vector<std::string>(),
        fmt::format("{}:{}: {}{}", path_.string(), header_.line,
                    unnamed ? fmt::format("column {} has no name in the header; give it one", field + 1)
                            : fmt::format("two columns are called '{}'; rename one", name),
                    may_go ? ", or leave it out" : ""));
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

  void begin_row() {
    if (const std::uint64_t shift = scanner_.line() - rows_;
        shifts_.empty() || shifts_.back().second != shift)
      shifts_.emplace_back(rows_, shift);
  }

  void read_row() {
    begin_row();
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
    if (fields > targets_.size()) {
      remedy = "; ";
      if (header_.may_be_title) remedy += fmt::format("{}, and ", if_title);
      remedy += fields <= targets_.size() + header_.nameless
                    ? fmt::format("give column {} a name in the header", targets_.size() + 1)
                    : "put fields that hold a delimiter into quotes";
    }
    const std::string& first = header_.names[0];
    const std::size_t other = first.find_first_of(";\t|");
    if (targets_.size() == 1 && other != std::string::npos) {
      const std::string delimiter = first[other] == '\t' ? "tab" : first.substr(other, 1);
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
    if (fast_ && !target.by_labels)
      if (const auto value = scanner_.read_plain_number())
        return target.raw->column.numbers.push_back(*value);
    take_text(target, field, trimmed(read_field(field)));
  }

  void take_text(Target& target, std::size_t field, std::string_view text) {
    RawColumn& raw = *target.raw;
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
  const AskedColumns asked_{options_};
  const NameSet& as_labels_;
  const MissingMarks marks_{options_};
  bool fast_ = true;
  std::size_t rows_ = 0;
  std::vector<RawColumn> columns_;
  RowPlaces::Shifts shifts_;
  CsvScanner scanner_;
  CsvHeader header_;
  CsvColumnNames columns_by_name_;
  std::vector<Target> targets_;  // by field
  std::size_t comments_ = 0;
  std::size_t blank_rows_ = 0;
  std::size_t empty_lines_ = 0;
  std::optional<std::size_t> blank_end_;
  bool trailing_ = false;
};

// Whether the numbers of all columns are written in the style that the options say. Other errors are none of
// its business.
bool has_one_spelling(std::string_view text, const std::filesystem::path& path,
                      const ReadTableOptions& options) {
  NameSet as_labels;
  for (std::size_t known = SIZE_MAX; known != as_labels.size();) {
    known = as_labels.size();
    CsvParser parser(path, options, text, as_labels);
    parser.parse();
    const RowPlaces places = parser.places();
    const ColumnKinds kinds(places, options);
    for (RawColumn& raw : parser.columns()) {
      try {
        if (!kinds.resolve(raw)) as_labels.insert(raw.column.name);
      } catch (const SpellingError&) {
        return false;
      } catch (const Error&) {
        continue;
      }
    }
  }
  return true;
}

}  // namespace

Table parse_csv(std::string_view text, const std::filesystem::path& path, const ReadTableOptions& options) {
  check_style(options.style);
  require_csv(text, path);
  const auto reads_all = [&](const NumberStyle& style) {
    ReadTableOptions tried = options;
    tried.style = style;
    try {
      return has_one_spelling(text, path, tried);
    } catch (const Error&) {
      return false;
    }
  };
  // A column that begins with numbers may turn out to be text: the file is then read once more.
  NameSet as_labels;
  while (true) {
    CsvParser parser(path, options, text, as_labels);
    parser.parse();
    const RowPlaces places = parser.places();
    const ColumnKinds kinds(places, options, reads_all);
    const std::size_t known = as_labels.size();
    for (RawColumn& raw : parser.columns())
      if (!kinds.resolve(raw)) as_labels.insert(raw.column.name);
    if (as_labels.size() > known) continue;
    ReadTableOptions found = options;
    found.delimiter = parser.delimiter();
    return table_of(places, parser.rows(), std::move(parser.columns()), found, parser.notes());
  }
}

Table read_csv(const std::filesystem::path& path, const ReadTableOptions& options) {
  const FileContents file(path, what);
  return parse_csv(file.bytes(), path, options);
}

std::string csv_field(std::string_view text, char delimiter) {
  const char special[] = {delimiter, '"', '\n', '\r', '\0'};
  const bool means_more = text.starts_with(byte_order_mark) || text.starts_with('#') ||
                          named_delimiter(text) != '\0' || !foreign_kind(text).empty() ||
                          (text.empty() && delimiter == ' ');
  if (text.find_first_of(special) == std::string_view::npos && trimmed(text) == text && !means_more)
    return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

}  // namespace gradus
