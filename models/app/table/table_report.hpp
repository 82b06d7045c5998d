#pragma once

#include <vector>

#include "models/app/plot/picture.hpp"
#include "models/app/table/recipe.hpp"

namespace gradus {

/// What a model says of some rows against what the table says: a confusion matrix, or predicted over true
/// numbers. `outputs` are the network's, row-major.
Picture picture_of(const Table& table, const TableRecipe& recipe, const Rows& rows,
                   const std::vector<double>& outputs);

}  // namespace gradus
