#include "models/app/table/table_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "models/app/table/categories.hpp"

namespace gradus {

namespace {

// The class of a row, and the one that the model answers.
struct Guess {
  std::size_t right;
  std::size_t given;
};

std::vector<Guess> answers_of(const Table& table, const TableRecipe& recipe, const Rows& rows,
                              const std::vector<double>& outputs) {
  const TableColumn& target = table.column(recipe.target.name);
  const std::size_t classes = recipe.target.categories.size();
  const auto places = category_places(table, recipe.target);
  std::vector<Guess> answers;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = outputs.begin() + static_cast<std::ptrdiff_t>(i * classes);
    const auto end = row + static_cast<std::ptrdiff_t>(classes);
    if (!std::all_of(row, end, [](double y) { return std::isfinite(y); })) continue;
    answers.push_back(
        {places[target.codes[rows[i]]], static_cast<std::size_t>(std::max_element(row, end) - row)});
  }
  return answers;
}

// For each class its place in the picture, in which more could not be told apart: those of most mistakes have
// their own, and the others share the last one.
std::vector<std::size_t> picture_places(const std::vector<Guess>& answers, std::size_t classes) {
  constexpr std::size_t most = 20;
  std::vector<std::size_t> places(classes), by_mistakes(classes), mistakes(classes, 0);
  std::iota(places.begin(), places.end(), std::size_t{0});
  if (classes <= most) return places;
  by_mistakes = places;
  for (const Guess& answer : answers)
    for (const std::size_t of : {answer.right, answer.given}) mistakes[of] += answer.right != answer.given;
  std::ranges::stable_sort(by_mistakes, std::greater(), [&](std::size_t i) { return mistakes[i]; });
  std::ranges::fill(places, most - 1);
  std::sort(by_mistakes.begin(), by_mistakes.begin() + most - 1);
  for (std::size_t i = 0; i + 1 < most; ++i) places[by_mistakes[i]] = i;
  return places;
}

Picture confusion_of(const Table& table, const TableRecipe& recipe, const Rows& rows,
                     const std::vector<double>& outputs) {
  const auto& classes = recipe.target.categories;
  const std::vector<Guess> answers = answers_of(table, recipe, rows, outputs);
  const std::vector<std::size_t> places = picture_places(answers, classes.size());
  const std::size_t shown = *std::ranges::max_element(places) + 1;
  const std::size_t others = classes.size() - shown;  // beside the one whose place they share
  Confusion confusion{std::vector<std::string>(shown), std::vector<std::int64_t>(shown * shown, 0), "rows"};
  for (std::size_t i = 0; i < classes.size(); ++i) confusion.labels[places[i]] = classes[i];
  if (others > 0) confusion.labels.back() = fmt::format("{} others", others + 1);
  for (const Guess& answer : answers) ++confusion.counts[places[answer.right] * shown + places[answer.given]];
  return {
      "confusion", fmt::format("Which “{}” is taken for which", recipe.target.name),
      std::string("Framed: right answers. The darker another cell, the more often the row's class was taken "
                  "for the column's.") +
          (others == 0 ? ""
                       : " The classes of most mistakes are shown one by one; among the others, framed, "
                         "one may have been taken for another."),
      confusion};
}

}  // namespace

Picture picture_of(const Table& table, const TableRecipe& recipe, const Rows& rows,
                   const std::vector<double>& outputs) {
  if (recipe.task == Task::classify) return confusion_of(table, recipe, rows, outputs);
  const TableColumn& target = table.column(recipe.target.name);
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
