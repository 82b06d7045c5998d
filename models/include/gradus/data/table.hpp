#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/data/name_index.hpp"
#include "gradus/data/option_error.hpp"

namespace GRADUS_PUBLIC gradus {

/// A column of a table: of numbers, of dates, which are numbers, too, or of labels.
struct TableColumn {
  std::string name;                  ///< of the column
  bool is_number = true;             ///< else text
  std::vector<double> numbers;       ///< a number column's; of dates, days since 1970-01-01; missing: NaN
  std::vector<std::uint32_t> codes;  ///< a text column's: each row's place in `labels`
  std::vector<std::string> labels;   ///< in the order in which they first occur; "" is that of missing values
  bool is_date = false;              ///< whether the numbers are dates
  std::size_t missing = 0;           ///< how many rows have no value

  /// Whether this row has no value.
  bool lacks_value(std::size_t row) const {
    return is_number ? std::isnan(numbers[row]) : labels[codes[row]].empty();
  }
};

/// How numbers are written.
struct NumberStyle {
  char decimal = '.';     ///< before the fraction
  char thousands = '\0';  ///< between groups of three digits, in front of the fraction; '\0': nothing is
};

/// How to go about rows without a value.
enum class MissingValues {
  error,  ///< Error for the first
  drop,   ///< the row is left out
  keep    ///< the value is NaN, or the label ""
};

/// How a table is read.
struct ReadTableOptions {
  std::vector<std::string> columns = {};   ///< those to read, in this order; empty: all
  std::vector<std::string> text = {};      ///< columns to read as text although they hold numbers or dates
  std::vector<std::string> numbers = {};   ///< columns that must be numbers
  char delimiter = ',';                    ///< of CSV
  bool header = true;                      ///< of CSV; without, columns are called c1, c2, …
  bool names_are_numbers = false;          ///< of CSV; whether the header may be of numbers alone
  std::vector<std::string> dates = {};     ///< columns that must be dates
  std::vector<std::string> exclude = {};   ///< columns to leave out
  std::vector<std::string> complete = {};  ///< columns that must be there; a row without a value is not kept
  NumberStyle style = {};                  ///< of the numbers in CSV, and of those in `na`
  /// Words for missing values in CSV, and numbers for them in any file, in `style` or as programs write them:
  /// a number in all its spellings.
  std::vector<std::string> na = {};
  MissingValues missing = MissingValues::error;  ///< in the columns that are read
  /// Of CSV: whether a row of empty fields that others follow is a row, which lacks every value. Notes are
  /// then only of lines between rows that are none.
  bool keep_blank_rows = false;
};

/// The lines of a file's rows.
class RowPlaces {
 public:
  /// From row `first` of a shift on, rows are on the lines row + `second`; without shifts the file has no
  /// lines, and rows are counted from 0.
  using Shifts = std::vector<std::pair<std::size_t, std::uint64_t>>;

  /// Places in this file.
  RowPlaces(std::filesystem::path path, Shifts shifts) : path_(std::move(path)), shifts_(std::move(shifts)) {}

  /// The file.
  const std::filesystem::path& path() const { return path_; }
  /// "FILE:LINE: column 'x'" or "FILE: row 7: column 'x'", for messages.
  std::string place(std::size_t row, std::string_view column) const;
  /// The places when only these rows, in ascending order, are left.
  RowPlaces only(const std::vector<std::size_t>& rows) const;

 private:
  // To be added to a row's number for its line; of a file without lines, for its number in the file.
  std::uint64_t shift(std::size_t row) const;

  std::filesystem::path path_;
  Shifts shifts_;
  bool has_lines_ = !shifts_.empty();
};

/// Rows of named columns, and where in a file they come from.
class Table {
 public:
  /// A table of these columns, each of which has `rows` entries. The notes say what was passed over.
  Table(RowPlaces places, std::size_t rows, std::vector<TableColumn> columns,
        std::vector<std::string> notes = {}, char delimiter = ',', const NumberStyle& style = {});

  /// The file.
  const std::filesystem::path& path() const { return places_.path(); }
  /// How many there are.
  std::size_t rows() const { return rows_; }
  /// All of them.
  const std::vector<TableColumn>& columns() const { return columns_; }
  /// Error naming the columns there are when there is none of this name.
  const TableColumn& column(std::string_view name) const;
  /// Sentences on what was passed over in the file, and on what a row was dropped for.
  const std::vector<std::string>& notes() const { return notes_; }

  /// The character that separates the columns of its file, when that is CSV.
  char delimiter() const { return delimiter_; }
  /// How its file writes numbers, and so the labels that are some.
  const NumberStyle& style() const { return style_; }

  /// "FILE:LINE: column 'x'" or "FILE: row 7: column 'x'", for messages.
  std::string place(std::size_t row, std::string_view column) const { return places_.place(row, column); }

 private:
  RowPlaces places_;
  std::size_t rows_;
  std::vector<TableColumn> columns_;
  std::vector<std::string> notes_;
  char delimiter_;
  NumberStyle style_;
  NameIndex by_name_;  // of the columns
};

/// The error to throw for a column that is asked for and not there: "FILE: there is no column 'x'; there are:
/// a, b", with the name that was probably meant. About the delimiter when it looks as if that were wrong.
OptionError no_column(std::string_view file, std::string_view name, const std::vector<std::string>& names);

}  // namespace gradus
