#pragma once

#include <vector>

#include "gradus/models/plot/picture.hpp"
#include "gradus/models/table/recipe.hpp"

namespace gradus {

/// What a model says of some rows against what the table says: a confusion matrix, or predicted over true
/// numbers. `outputs` are the network's, row-major.
Picture picture_of(const Table& table, const TableRecipe& recipe, const Rows& rows,
                   const std::vector<double>& outputs);

}  // namespace gradus
