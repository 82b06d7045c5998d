#include "models/app/table/table_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/app/table/categories.hpp"

namespace gradus {

Picture picture_of(const Table& table, const TableRecipe& recipe, const Rows& rows,
                   const std::vector<double>& outputs) {
  const TableColumn& target = table.column(recipe.target.name);
  if (recipe.task == Task::classify) {
    const auto& labels = recipe.target.categories;
    Confusion confusion{labels, std::vector<std::int64_t>(labels.size() * labels.size(), 0), "rows"};
    const auto places = category_places(table, recipe.target);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row = outputs.begin() + static_cast<std::ptrdiff_t>(i * labels.size());
      const auto end = row + static_cast<std::ptrdiff_t>(labels.size());
      if (!std::all_of(row, end, [](double y) { return std::isfinite(y); })) continue;
      const auto answer = std::max_element(row, end) - row;
      ++confusion.counts[places[target.codes[rows[i]]] * labels.size() + static_cast<std::size_t>(answer)];
    }
    return {"confusion", fmt::format("Which “{}” is taken for which", target.name),
            "Framed: right answers. The darker another cell, the more often the row's class was taken for "
            "the column's.",
            confusion};
  }
  Series points{"rows", {}, {}, Series::Style::marks}, ideal{"right", {}, {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double answer = recipe.target.original(outputs[i]);
    if (!std::isfinite(answer)) continue;
    points.x.push_back(target.numbers[rows[i]]);
    points.y.push_back(answer);
  }
  if (!points.x.empty()) {
    const auto [least, most] = std::ranges::minmax(points.x);
    ideal.x = ideal.y = {least, most};
  }
  const Chart chart{{target.name + " in the table"}, {target.name + " as predicted"}, {points, ideal}};
  return {"predicted", fmt::format("“{}” as predicted over what the table says", target.name),
          "A mark a row; on the line the prediction is right.", chart};
}

}  // namespace gradus
