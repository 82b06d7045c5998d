#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/data/option_error.hpp"

namespace GRADUS_PUBLIC gradus {

/// A column of a table: of numbers, or of labels.
struct TableColumn {
  std::string name;                  ///< of the column
  bool is_number = true;             ///< else text
  std::vector<double> numbers;       ///< a number column's
  std::vector<std::uint32_t> codes;  ///< a text column's: each row's place in `labels`
  std::vector<std::string> labels;   ///< in the order in which they first occur
};

/// How a table is read.
struct ReadTableOptions {
  std::vector<std::string> columns = {};  ///< those to read, in this order; empty: all
  std::vector<std::string> text = {};     ///< columns to read as text although they begin with a number
  std::vector<std::string> numbers = {};  ///< columns that must be numbers
  char delimiter = ',';                   ///< of CSV
  bool header = true;                     ///< of CSV; without, columns are called c1, c2, …
};

/// Rows of named columns, and where in a file they come from.
class Table {
 public:
  /// From row `first` of a shift on, rows are on the lines row + `second`; without shifts the file has no
  /// lines, and rows are counted from 0.
  using Shifts = std::vector<std::pair<std::size_t, std::uint64_t>>;

  /// A table of these columns, each of which has `rows` entries.
  Table(std::filesystem::path path, std::size_t rows, std::vector<TableColumn> columns, Shifts shifts = {});

  /// The file.
  const std::filesystem::path& path() const { return path_; }
  /// How many there are.
  std::size_t rows() const { return rows_; }
  /// All of them.
  const std::vector<TableColumn>& columns() const { return columns_; }
  /// Error naming the columns there are when there is none of this name.
  const TableColumn& column(std::string_view name) const;

  /// "FILE:LINE: column 'x'" or "FILE: row 7: column 'x'", for messages.
  std::string place(std::size_t row, std::string_view column) const;

 private:
  std::filesystem::path path_;
  std::size_t rows_;
  std::vector<TableColumn> columns_;
  Shifts shifts_;
};

/// The error to throw for a column that is asked for and not there: "FILE: there is no column 'x'; there are:
/// a, b". About the delimiter when it looks as if that were wrong.
OptionError no_column(std::string_view file, std::string_view name, const std::vector<std::string>& names);

}  // namespace gradus
