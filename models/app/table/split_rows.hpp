#pragma once

#include "models/app/table/fit_table.hpp"

namespace gradus {

/// The rows of a table that a model is trained on, and those it is validated on.
struct RowSplit {
  Rows training;
  Rows validation;
};

/// Error for a part that is not in [0, 1), or that leaves no rows; and where numbers are to be stratified.
RowSplit split_rows(const Table& table, const TableOptions& options);

}  // namespace gradus
