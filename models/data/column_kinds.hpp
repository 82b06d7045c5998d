#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/data/table.hpp"
#include "models/data/missing_marks.hpp"

namespace gradus {

/// Whether a name, or a word, is among these.
inline bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// A value in a column, for messages.
struct Sample {
  std::size_t row;   ///< its number
  std::string text;  ///< as it stands in the file
};

/// A column as it was read, before all rows say what kind it is: labels of all fields, or numbers when the
/// first field is one.
struct RawColumn {
  TableColumn column;  ///< is_number: its fields are in `numbers`, else in `labels`
  std::optional<Sample> first_missing =
      {};                  ///< of a number column: the first that is NaN for want of a value
  bool has_words = false;  ///< of a number column: whether there are fields that are none
};

/// Says from all rows what kind each column is, whatever their order: a column is of numbers, or of dates,
/// when at least half of its values are; the first value that is none is then an Error. Any other is text.
class ColumnKinds {
 public:
  /// Looks at the rows at these places. Both must outlive this. Error as of `check_kinds`.
  ColumnKinds(const RowPlaces& places, const ReadTableOptions& options);

  /// Makes the column what it is. False when it was read as numbers and has other values, too: it must be
  /// read again, as labels. Error for values that do not fit the others or what is asked for.
  bool resolve(RawColumn& raw) const;

 private:
  struct Labels;
  // Whether the options say that it is of numbers or dates.
  bool is_asked_for(std::string_view name) const;
  [[noreturn]] void fail_value(const RawColumn& raw, const Sample& sample, std::string_view kind,
                               std::size_t of_kind, std::size_t values) const;
  [[noreturn]] void fail_spelling(const RawColumn& raw, const Labels& labels, const NumberStyle& style) const;
  void reject_other_spelling(const RawColumn& raw, const Labels& labels) const;
  void keep_text(RawColumn& raw) const;
  void make_numbers(RawColumn& raw, const Labels& labels, bool dates) const;

  const RowPlaces& places_;
  const ReadTableOptions& options_;
  const MissingMarks marks_{options_};
};

/// Error when a column is asked for as text and as numbers or dates, too.
void check_kinds(const ReadTableOptions& options);

/// The table of these columns, with rows that lack a value treated as the options say. Error for the first
/// missing value, if they say so, and when no row is left.
Table table_of(const RowPlaces& places, std::size_t rows, std::vector<RawColumn> columns,
               const ReadTableOptions& options, std::vector<std::string> notes);

}  // namespace gradus
