#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/data/table.hpp"
#include "models/data/missing_marks.hpp"
#include "models/data/name_set.hpp"

namespace gradus {

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

/// The Error for text that is numbers in another spelling.
class SpellingError : public OptionError {
 public:
  using OptionError::OptionError;
};

/// What may become of a value that is missing in this column, as options. Nothing can stand for one in a
/// column whose values are asked for.
std::vector<std::string> remedies_for_missing(const std::string& column, const ReadTableOptions& options);

/// Says from all rows what kind each column is, whatever their order: a column is of numbers, or of dates,
/// when at least half of its values are; the first value that is none is then an Error. Any other is text.
class ColumnKinds {
 public:
  /// Whether no column of the file is of numbers in another spelling when it is read in this one.
  using ReadsAll = std::function<bool(const NumberStyle& style)>;

  /// Looks at the rows at these places. Both must outlive this. A spelling is proposed if it reads the whole
  /// file, as `reads_all` says, which may be empty. Error as of `check_kinds`.
  ColumnKinds(const RowPlaces& places, const ReadTableOptions& options, ReadsAll reads_all = {});

  /// Makes the column what it is. False when it was read as numbers and has other values, too: it must be
  /// read again, as labels. Error for values that do not fit the others or what is asked for.
  bool resolve(RawColumn& raw) const;

 private:
  struct Labels;
  // Whether the options say that it is of numbers or dates.
  bool is_asked_for(std::string_view name) const;
  [[noreturn]] void fail_value(const RawColumn& raw, const Sample& sample, std::string_view kind,
                               std::size_t of_kind, std::size_t values) const;
  // The spellings in which more of the values are numbers, and at least half; the likeliest first.
  using Spelling = std::pair<std::size_t, NumberStyle>;  // how many values are numbers in it
  std::vector<Spelling> spellings_of(const RawColumn& raw, const Labels& labels) const;
  [[noreturn]] void fail_spelling(const RawColumn& raw, const Labels& labels,
                                  std::span<const NumberStyle> styles, bool reads_all) const;
  void reject_other_spelling(const RawColumn& raw, const Labels& labels) const;
  void keep_text(RawColumn& raw) const;
  void make_numbers(RawColumn& raw, const Labels& labels, bool dates) const;

  const RowPlaces& places_;
  const ReadTableOptions& options_;
  const AskedColumns asked_{options_};
  ReadsAll reads_all_;
  const MissingMarks marks_{options_};
};

/// Error when a column is asked for as text and as numbers or dates, too.
void check_kinds(const ReadTableOptions& options);

/// The table of these columns, with rows that lack a value treated as the options say. Error for the first
/// missing value, if they say so, and when no row is left.
Table table_of(const RowPlaces& places, std::size_t rows, std::vector<RawColumn> columns,
               const ReadTableOptions& options, std::vector<std::string> notes);

}  // namespace gradus
