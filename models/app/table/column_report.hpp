#pragma once

#include <string>
#include <vector>

#include "gradus/data/table.hpp"
#include "models/app/table/fit_table.hpp"

namespace gradus {

/// How each column was read: "number, 98 values, 2 missing; first 1, 2.5, 3", by its name.
Facts column_facts(const Table& table);

/// The columns that were read, as a person wants to see it before the training: a line for each column with
/// its kind, the count of values, the missing ones, the levels and the first values; then what was passed
/// over in the file.
std::string column_table(const Table& table);

/// Sentences on columns that are probably not what the person thinks, each with a remedy; see OptionError.
std::vector<OptionError> odd_columns(const Table& table, const TableOptions& options);

}  // namespace gradus
