#pragma once

#include <string>
#include <vector>

#include "gradus/train/model.hpp"
#include "gradus/train/split.hpp"
#include "models/app/table/fit_table.hpp"

namespace gradus {

/// Error when the column of weights is the target, a feature or left out.
void check_weight_column(const TableOptions& options);

/// Error, naming the row, for a weight that is missing, negative or infinite; when those of training are all
/// 0; and for balanced class weights where numbers are predicted.
void check_weights(const Table& table, const TableOptions& options, const SplitRows& split);

/// The weights of these rows.
std::vector<double> weights_of(const Table& table, const std::string& column, const Rows& rows);

/// The model with a loss that the weights of rows and classes multiply. A class that no row of training has
/// counts once.
ModelDefinition weighted_model(ModelDefinition model, const Table& table, const TableRecipe& recipe,
                               const SplitRows& split, const TableOptions& options);

}  // namespace gradus
