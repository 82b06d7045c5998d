#include "models/app/table/number_range.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/data/option_error.hpp"

namespace gradus {

namespace {

template <class T> bool is_beyond(double number) {
  return std::abs(number) > static_cast<double>(std::numeric_limits<T>::max());
}

}  // namespace

template <class T>
const ColumnRecipe* column_beyond(const std::vector<ColumnRecipe>& columns, std::span<const double> encoded) {
  std::size_t offset = 0;
  for (const ColumnRecipe& column : columns) {
    if (is_beyond<T>(encoded[offset])) return &column;
    offset += static_cast<std::size_t>(column.width());
  }
  return nullptr;
}

template <class T> std::string beyond_text(const Table& table, const ColumnRecipe& column, std::size_t row) {
  const double value = table.column(column.name).numbers[row], given = column.standardized(value);
  return fmt::format(
      "{}: {}{} is beyond what a network of {}s can be given", table.place(row, column.name), value,
      given == value || !std::isfinite(given) ? std::string() : fmt::format(", standardised {:.3g},", given),
      sizeof(T) == sizeof(float) ? "float" : "double");
}

template <class T>
void require_in_range(const Table& table, const std::vector<ColumnRecipe>& columns, const Rows& rows,
                      std::span<const double> encoded) {
  if (std::ranges::none_of(encoded, is_beyond<T>)) return;
  const std::size_t width = encoded.size() / rows.size();
  std::size_t first = rows.size();
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (column_beyond<T>(columns, encoded.subspan(i * width, width)) != nullptr &&
        (first == rows.size() || rows[i] < rows[first]))
      first = i;
  const ColumnRecipe& column = *column_beyond<T>(columns, encoded.subspan(first * width, width));
  const bool is_float = sizeof(T) == sizeof(float);
  const double value = table.column(column.name).numbers[rows[first]];
  const bool double_holds = is_float && std::isfinite(column.standardized(value));
  throw OptionError(
      double_holds ? std::vector<std::string>{"precision=double"} : std::vector<std::string>{},
      fmt::format("{}; correct it, {}or remove the row", beyond_text<T>(table, column, rows[first]),
                  double_holds ? "compute in double, " : ""));
}

template const ColumnRecipe* column_beyond<float>(const std::vector<ColumnRecipe>&, std::span<const double>);
template const ColumnRecipe* column_beyond<double>(const std::vector<ColumnRecipe>&, std::span<const double>);
template std::string beyond_text<float>(const Table&, const ColumnRecipe&, std::size_t);
template std::string beyond_text<double>(const Table&, const ColumnRecipe&, std::size_t);
template void require_in_range<float>(const Table&, const std::vector<ColumnRecipe>&, const Rows&,
                                      std::span<const double>);
template void require_in_range<double>(const Table&, const std::vector<ColumnRecipe>&, const Rows&,
                                       std::span<const double>);

}  // namespace gradus
