#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "gradus/base/public.hpp"
#include "gradus/data/table.hpp"

namespace GRADUS_PUBLIC gradus {

/// Reads a CSV file (RFC 4180: quotes, with "" for a quote and line breaks within; lines end with LF or CRLF;
/// a byte order mark and empty lines are passed over). A column is of numbers when its first field is one.
/// Error naming file, line, column and remedy for: a missing or empty file; no header, or an empty or
/// repeated name in it; a column that is asked for and not there; a line with more or fewer fields; a missing
/// value; what is no finite number in a number column; a quote that is not closed; text that is not UTF-8; no
/// rows.
Table read_csv(const std::filesystem::path& path, const ReadTableOptions& options = {});
/// The same of a file's text; the path is for messages.
Table parse_csv(std::string_view text, const std::filesystem::path& path,
                const ReadTableOptions& options = {});

/// A field as it must be written: in quotes when it needs them.
std::string csv_field(std::string_view text, char delimiter = ',');

}  // namespace gradus
