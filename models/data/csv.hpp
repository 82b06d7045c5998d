#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradus {

/// A column of a table: of numbers, or of labels.
struct CsvColumn {
  std::string name;                  ///< from the first line
  bool is_number = true;             ///< else text
  std::vector<double> numbers;       ///< a number column's
  std::vector<std::uint32_t> codes;  ///< a text column's: each row's place in `labels`
  std::vector<std::string> labels;   ///< in the order in which they first occur
};

/// How a table is read.
struct CsvOptions {
  char delimiter = ',';                   ///< between columns
  bool header = true;                     ///< without, columns are called c1, c2, …
  std::vector<std::string> columns = {};  ///< those to read, in this order; empty: all
  std::vector<std::string> text = {};     ///< columns to read as text although they begin with a number
  std::vector<std::string> numbers = {};  ///< columns that must be numbers
};

/// A table read from a CSV file (RFC 4180: quotes, with "" for a quote and line breaks within; lines end with
/// LF or CRLF; a byte order mark and empty lines are passed over).
class CsvTable {
 public:
  /// A column is of numbers when its first field is one. Error naming file, line, column and remedy for: a
  /// missing or empty file; no header, or an empty or repeated name in it; a column that is asked for and not
  /// there; a line with more or fewer fields; a missing value; what is no finite number in a number column; a
  /// quote that is not closed; text that is not UTF-8; no rows.
  explicit CsvTable(const std::filesystem::path& path, const CsvOptions& options = {});

  /// The file.
  const std::filesystem::path& path() const { return path_; }
  /// How many there are, without the header.
  std::size_t rows() const { return rows_; }
  /// All of them.
  const std::vector<CsvColumn>& columns() const { return columns_; }
  /// Error naming the columns there are when there is none of this name.
  const CsvColumn& column(std::string_view name) const;

  /// The line of a row in the file, from 1.
  std::uint64_t line(std::size_t row) const;
  /// "FILE:LINE: column 'x'", for messages.
  std::string place(std::size_t row, std::string_view column) const;

 private:
  friend class CsvParser;

  std::filesystem::path path_;
  std::size_t rows_ = 0;
  std::vector<CsvColumn> columns_;
  // From row `first` on, rows are on lines row + `second`.
  std::vector<std::pair<std::size_t, std::uint64_t>> shifts_;
};

/// A field as it must be written: in quotes when it needs them.
std::string csv_field(std::string_view text, char delimiter = ',');

}  // namespace gradus
