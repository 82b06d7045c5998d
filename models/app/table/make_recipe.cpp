#include "models/app/table/make_recipe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "gradus/data/option_error.hpp"
#include "models/app/table/categories.hpp"
#include "models/app/table/spread.hpp"
#include "models/app/table/table_network.hpp"
#include "models/data/file_kind.hpp"
#include "models/data/number_text.hpp"

namespace gradus {

namespace {

ColumnRecipe number_recipe(const TableColumn& column, const Rows& rows, bool standardize, Missing missing) {
  ColumnRecipe recipe{.name = column.name, .is_date = column.is_date};
  std::vector<double> values;
  for (const std::uint32_t row : rows)
    if (!std::isnan(column.numbers[row])) values.push_back(column.numbers[row]);
  const Spread spread = spread_of(values);
  if (missing == Missing::mean || missing == Missing::level) recipe.fill = spread.mean;
  recipe.marks_missing = missing == Missing::level && values.size() < rows.size();
  if (!standardize) return recipe;
  recipe.mean = spread.mean;
  // A column that is constant but for rounding says nothing: it becomes zeros, but for rounding.
  constexpr double rounding = 0x1p10 * std::numeric_limits<double>::epsilon();
  recipe.deviation =
      spread.is_constant() ? std::max(1.0, rounding * std::abs(spread.mean)) : spread.deviation;
  return recipe;
}

// The categories, sorted: numbers as numbers, 2 before 10.
std::vector<std::string> categories_of(const std::map<std::string, std::size_t>& counts) {
  std::vector<std::string> categories;
  for (const auto& [label, count] : counts) categories.push_back(label);
  const auto number = [](const std::string& text) { return number_of(text).value_or(NAN); };
  if (std::ranges::none_of(categories, [&](const auto& c) { return !c.empty() && std::isnan(number(c)); }))
    std::ranges::stable_sort(categories, [&](const auto& a, const auto& b) { return number(a) < number(b); });
  return categories;
}

// How many of the rows have each category.
std::map<std::string, std::size_t> category_counts(const Table& table, const TableColumn& column,
                                                   const Rows& rows) {
  const std::vector<std::string> categories = label_categories(table, column, rows);
  std::map<std::string, std::size_t> counts;
  for (const std::uint32_t row : rows) ++counts[categories[column.codes[row]]];
  return counts;
}

ColumnRecipe text_recipe(const Table& table, const TableColumn& column, const Rows& rows, Missing missing) {
  ColumnRecipe recipe{column.name};
  auto counts = category_counts(table, column, rows);
  if (missing != Missing::level) counts.erase("");
  recipe.categories = categories_of(counts);
  if (recipe.categories.empty()) recipe.categories.emplace_back();  // no row of training has a value
  if (missing == Missing::mean && !counts.empty())
    recipe.fill_category =
        std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; })->first;
  return recipe;
}

// Classes must be learnable.
void check_classes(const Table& table, const TableOptions& options, const TableRecipe& recipe,
                   const SplitRows& split) {
  const TableColumn& column = table.column(recipe.target.name);
  const auto counts = category_counts(table, column, split.training);
  if (counts.size() < 2)
    throw Error(
        fmt::format("{}: column '{}': there is only one class, '{}', in the rows of training; a "
                    "classification needs at least two",
                    table.path().string(), column.name, counts.begin()->first));
  if (recipe.target.categories.size() == table.rows() && table.rows() > 2)
    throw OptionError(
        {"task=regress"},
        fmt::format("{}: column '{}': every row has a class of its own, {} in all; name another "
                    "target, or regress it if these are numbers",
                    table.path().string(), column.name, table.rows()));
  if (!options.strict) return;
  TableRecipe known;
  known.target = text_recipe(table, column, split.training, Missing::error);
  for (const UnknownLevel& unknown : unknown_levels(table, known, split.validation, true))
    throw OptionError(
        {"strict=false", "seed", "in_order=false", "validation_split"},
        fmt::format("{}: the class '{}' occurs only in the rows that are kept for validation; add rows "
                    "of it, use another seed, split at random and not in order, or keep fewer rows",
                    table.place(unknown.row, column.name), unknown.label));
}

// There is nothing to predict from: says why, as far as that is known.
OptionError no_feature_error(const Table& table, const TableOptions& options) {
  const std::string what =
      fmt::format("{}: there is no column to predict '{}' from", table.path().string(), options.target);
  std::vector<std::string> causes, remedies;
  if (!options.exclude.empty()) {
    causes.push_back(fmt::format("'{}' left out", fmt::join(options.exclude, "', '")));
    remedies.emplace_back("exclude");
  }
  if (!options.weight.empty()) {
    causes.push_back(fmt::format("'{}' for the rows' weights", options.weight));
    remedies.emplace_back("weight");
  }
  if (!causes.empty())
    return {remedies, fmt::format("{}, with {}; keep a column, or add one to the table", what,
                                  fmt::join(causes, ", and "))};
  if (kind_of(table.path()) != FileKind::other)
    return {{},
            fmt::format("{}; add an array of numbers with a row per sample{}", what,
                        table.notes().empty() ? "" : ", as " + table.notes().front())};
  return {
      {"delimiter"},
      fmt::format("{}, as it is the only column; there must be others, or, if there are, another delimiter "
                  "than '{}'",
                  what, table.delimiter())};
}

}  // namespace

TableRecipe make_recipe(const Table& table, const TableOptions& options, const SplitRows& split) {
  TableRecipe recipe;
  const TableColumn& target = table.column(options.target);
  recipe.task = options.task.value_or(target.is_number ? Task::regress : Task::classify);
  for (const TableColumn& column : table.columns()) {
    if (column.name == options.target || column.name == options.weight) continue;
    recipe.features.push_back(
        column.is_number ? number_recipe(column, split.training, options.standardize, options.missing)
                         : text_recipe(table, column, split.training, options.missing));
  }
  if (recipe.features.empty()) throw no_feature_error(table, options);
  Rows all(table.rows());
  std::iota(all.begin(), all.end(), 0U);
  recipe.target = target.is_number ? number_recipe(target, split.training, true, Missing::error)
                                   : text_recipe(table, target, all, Missing::error);
  if (recipe.task == Task::classify) check_classes(table, options, recipe, split);
  if (options.strict)
    for (const UnknownLevel& unknown : unknown_levels(table, recipe, split.validation, false))
      throw unknown_level_error(table, recipe, unknown);
  recipe.hidden = options.hidden;
  recipe.activation = options.activation;
  recipe.normalization = options.normalization;
  recipe.dropout = options.dropout;
  check_network(recipe);
  recipe.in_double = options.in_double;
  recipe.missing = options.missing;
  recipe.format = options.format;
  recipe.format.delimiter = table.delimiter();
  return recipe;
}

}  // namespace gradus
