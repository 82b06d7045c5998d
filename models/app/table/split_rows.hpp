#pragma once

#include "gradus/train/split.hpp"
#include "models/app/table/fit_table.hpp"

namespace gradus {

/// The rows that a model is trained on, and those it is validated on. Error for a part that is not in [0, 1),
/// or that leaves no rows; and where numbers, or rows in order, are to be stratified.
SplitRows split_rows(const Table& table, const TableOptions& options);

}  // namespace gradus
