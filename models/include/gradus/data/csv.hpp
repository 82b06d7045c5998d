#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "gradus/base/public.hpp"
#include "gradus/data/table.hpp"

namespace GRADUS_PUBLIC gradus {

/// Reads a CSV file (RFC 4180: quotes, with "" for a quote and line breaks within, blanks before them or
/// not). Lines end with LF or CRLF, or with CR when the first does. Passed over are a byte order mark, lines
/// that are empty or blank, rows of empty fields, empty fields behind the last column, and comments: lines
/// that begin with # and have not as many fields as the table. A first line "sep=;" says what separates the
/// columns; several blanks are one where blanks do.
///
/// A column without a name is called by its place, "c1". Where all columns are read, those in front of the
/// first name are left out, as they number the rows; so is a field that each row has in front of those of the
/// header. Names that are empty or given twice matter only to who asks for such a column.
///
/// All rows say what kind a column is, in any order: it is of numbers, or of dates (2020-12-31, 31.12.2020),
/// when at least half of its values are, else of text. In columns of numbers and dates an empty field, "NA",
/// "null" and the like are missing values; in columns of text, an empty field; and in all, the words in
/// `na`. Numbers too small for a double are 0.
///
/// Error naming file, line, column and remedy for: a missing or empty file, or one of another kind; no
/// header, or, where all columns are read, a name in it that is empty or repeated; a column that is asked for
/// and not there, before any row is read; a line with more or fewer fields; a missing value, unless the
/// options say how to go on; what is no finite number, or no date, in a column of them; text that is numbers
/// in another spelling; a quote that is not closed; text that is not UTF-8; no rows.
Table read_csv(const std::filesystem::path& path, const ReadTableOptions& options = {});
/// Reads a table from the text of a CSV file, as read_csv does; the path is for messages.
Table parse_csv(std::string_view text, const std::filesystem::path& path,
                const ReadTableOptions& options = {});

/// A field as it must be written: in quotes when it needs them.
std::string csv_field(std::string_view text, char delimiter = ',');

}  // namespace gradus
