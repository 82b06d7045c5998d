#pragma once

#include <span>
#include <vector>

#include "models/app/table/recipe.hpp"

namespace gradus {

/// Numbers that are larger than an element type can be, as a network of that type is given them.

/// The column of the first number in an encoded row that is beyond the type; null when there is none. NaN,
/// which is a missing value, is not.
template <class T>
const ColumnRecipe* column_beyond(const std::vector<ColumnRecipe>& columns, std::span<const double> encoded);

/// "FILE:7: column 'x': 1e+39 is beyond what a network of floats can be given", with the standardised number
/// if that is another.
template <class T> std::string beyond_text(const Table& table, const ColumnRecipe& column, std::size_t row);

/// Error for the first row of the file that has a number beyond the type in one of these columns, which
/// `encoded` holds, row for row.
template <class T>
void require_in_range(const Table& table, const std::vector<ColumnRecipe>& columns, const Rows& rows,
                      std::span<const double> encoded);

}  // namespace gradus
