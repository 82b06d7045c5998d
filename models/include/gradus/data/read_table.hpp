#pragma once

#include <filesystem>

#include "gradus/data/table.hpp"

namespace GRADUS_PUBLIC gradus {

/// Reads a table from CSV (see read_csv), NPY or NPZ (see read_array_table); the contents tell which.
Table read_table(const std::filesystem::path& path, const ReadTableOptions& options = {});

}  // namespace gradus
