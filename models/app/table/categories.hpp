#pragma once

#include <string>
#include <vector>

#include "models/app/table/recipe.hpp"

namespace gradus {

/// The category that each label of a text column is. A number is one in all its spellings (see
/// `category_of`), unless a label in these rows that is no number has digits, too: then the labels are codes
/// or versions, 1e5 beside 1f5 or 1.10 beside 1.10.2, and each stands for itself.
std::vector<std::string> label_categories(const Table& table, const TableColumn& column, const Rows& rows);

/// The place of each of the column's labels in the recipe's categories; their number when it is none of them.
std::vector<std::size_t> category_places(const Table& table, const ColumnRecipe& recipe);

}  // namespace gradus
