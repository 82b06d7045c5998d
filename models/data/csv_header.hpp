#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gradus/data/table.hpp"
#include "models/data/csv_scanner.hpp"
#include "models/data/name_set.hpp"

namespace gradus {

/// How many fields the line has, without empty ones at its end; 0 when it cannot be read.
std::size_t fields_ahead(CsvScanner scanner);
/// Whether a line that begins with # is a comment in a table of so many columns: it has another number of
/// fields.
bool is_comment_line(const CsvScanner& scanner, std::size_t columns);
/// Whether the line is of empty fields alone.
bool is_blank_row(const CsvScanner& scanner);

/// The columns of a CSV file, as its front says.
struct CsvHeader {
  /// By field; "" for one without a name, and two may have the same.
  std::vector<std::string> names;
  std::uint64_t line = 0;      ///< of the file
  std::size_t nameless = 0;    ///< empty fields behind the last name
  bool names_rows = false;     ///< whether rows have a field more, their name, in front
  bool may_be_title = false;   ///< whether the rows have more fields
  std::size_t comments = 0;    ///< lines that were passed over
  std::size_t blank_rows = 0;  ///< rows of empty fields that were passed over
  std::size_t indices = 0;     ///< columns without a name in front of all that have one

  /// How the column is called.
  std::string name(std::size_t field) const;
  /// Whether the column has no name of its own.
  bool is_unnamed(std::size_t field) const { return names[field].empty(); }
  /// Whether it is of the rows' names or numbers, which programs write without a name of their own in front.
  bool is_index(std::size_t field) const { return field < indices; }
  /// Sentences on what was found, where all columns are wanted.
  std::vector<std::string> notes() const;
};

/// Finds columns by their names.
class CsvColumnNames {
 public:
  CsvColumnNames() = default;
  explicit CsvColumnNames(const CsvHeader& header);

  /// The place of a column: of this name, or "c2", by which a second one without a name is called unless
  /// another is called so. The number of columns when there is none.
  std::size_t find(std::string_view name) const;
  /// Whether several have this name.
  bool is_twice(std::string_view name) const { return twice_.contains(name); }

 private:
  std::unordered_map<std::string, std::size_t, NameHash, std::equal_to<>> places_;
  NameSet twice_;
  std::size_t count_ = 0;
};

/// Error for a file of another kind, which would only be found to have strange names of columns.
void require_csv(std::string_view text, const std::filesystem::path& path);

/// Reads up to the first row. Error for a header that is none.
CsvHeader read_csv_header(CsvScanner& scanner, const std::filesystem::path& path,
                          const ReadTableOptions& options);

}  // namespace gradus
