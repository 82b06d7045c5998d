#pragma once

#include <filesystem>
#include <string_view>

#include "gradus/data/table.hpp"

namespace gradus {

/// A table of arrays with a row per entry of their first axis: of an NPY file the columns c1, c2, …; of an
/// NPZ file each array is a column of its name, or when it has k numbers a row, the columns NAME1 to NAMEk.
/// Columns that are asked for as text have their numbers as labels; NaN is a missing value. Of an NPZ file,
/// arrays that no column is asked of do not matter; where all are asked for and one must be there
/// (`complete`), those of other lengths and those that cannot be read are left out, which a note says. Error
/// naming the file, the array, the row and the column for: arrays of no or different lengths; a column that
/// is asked for and not there; a number that is not finite.
Table read_array_table(const std::filesystem::path& path, const ReadTableOptions& options = {});
/// The same of a file's bytes; the path is for messages.
Table parse_array_table(std::string_view bytes, const std::filesystem::path& path,
                        const ReadTableOptions& options = {});

}  // namespace gradus
