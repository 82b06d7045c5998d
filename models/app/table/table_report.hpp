#pragma once

#include <vector>

#include "models/app/plot/picture.hpp"
#include "models/app/table/recipe.hpp"

namespace gradus {

/// A picture that compares the model's predictions for some rows with their true targets: a confusion matrix
/// for classes, predicted over true values for numbers. `outputs` are the network's, row-major.
Picture picture_of(const Table& table, const TableRecipe& recipe, const Rows& rows,
                   const std::vector<double>& outputs);

}  // namespace gradus
