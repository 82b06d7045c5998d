#pragma once

#include "models/app/table/split_rows.hpp"

namespace gradus {

/// The meaning of columns, learnt from the rows of training: means, deviations, levels. The classes are those
/// of all rows. Error for a target that cannot be learnt, and, with `strict`, for levels that only validation
/// rows have.
TableRecipe make_recipe(const Table& table, const TableOptions& options, const SplitRows& split);

}  // namespace gradus
