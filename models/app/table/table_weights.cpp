#include "models/app/table/table_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/data/option_error.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/power.hpp"
#include "gradus/ops/reduction.hpp"
#include "gradus/ops/softmax.hpp"
#include "models/app/table/categories.hpp"

namespace gradus {

namespace {

// A number for each row, whose mean is the loss of the model without weights.
Expr cross_entropy_of_rows(const Expr& logits, const Expr& target) {
  return -sum(weighted(target, log_softmax(logits)), {-1});
}
Expr squared_error_of_rows(const Expr& prediction, const Expr& target) {
  return mean(square(prediction - target), {-1});
}

std::vector<double> class_weights_of(const Table& table, const TableRecipe& recipe, const Rows& rows) {
  const TableColumn& column = table.column(recipe.target.name);
  const auto places = category_places(table, recipe.target);
  std::vector<std::int64_t> counts(recipe.target.categories.size(), 0);
  for (const std::uint32_t row : rows) ++counts[places[column.codes[row]]];
  std::vector<std::int64_t> present;
  std::ranges::copy_if(counts, std::back_inserter(present), [](std::int64_t count) { return count > 0; });
  const std::vector<double> balanced = balanced_weights(present);
  std::vector<double> weights;
  std::size_t next = 0;
  for (const std::int64_t count : counts) weights.push_back(count > 0 ? balanced[next++] : 1);
  return weights;
}

}  // namespace

void check_weight_column(const TableOptions& options) {
  const auto is_in = [&](const std::vector<std::string>& names) {
    return std::ranges::find(names, options.weight) != names.end();
  };
  const char* const other = options.weight == options.target ? "is the target"
                            : is_in(options.exclude)         ? "is left out"
                            : is_in(options.features)        ? "is a feature"
                            : is_in(options.text)            ? "is a text"
                                                             : nullptr;
  if (other != nullptr)
    throw OptionError({"weight"}, fmt::format("column '{}' {} and cannot hold the rows' weights, too; name "
                                              "another column, or take it for one of both",
                                              options.weight, other));
}

void check_weights(const Table& table, const TableOptions& options, const SplitRows& split) {
  const TableColumn& target = table.column(options.target);
  if (options.class_weights == ClassWeights::balanced && target.is_number)
    throw OptionError(
        {"class_weights=none", "task=classify"},
        fmt::format("{}: column '{}' is of numbers, which have no classes to be balanced; do without, "
                    "or classify it",
                    options.data, target.name));
  if (options.weight.empty()) return;
  const TableColumn& column = table.column(options.weight);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const double weight = column.numbers[row];
    if (std::isnan(weight))
      throw OptionError(
          {"missing=drop"},
          fmt::format("{}: the weight is missing; fill it in, or leave out the rows that lack a value",
                      table.place(row, column.name)));
    if (!(weight >= 0 && std::isfinite(weight)))
      throw OptionError({}, fmt::format("{}: the weight is {}; it must be a finite number of at least 0",
                                        table.place(row, column.name), weight));
  }
  if (std::ranges::all_of(split.training, [&](std::uint32_t row) { return column.numbers[row] == 0; }))
    throw OptionError({"weight", "seed"},
                      fmt::format("{}: column '{}': the weights of all rows for training are 0, so there is "
                                  "nothing to learn from; give some of them a weight above 0",
                                  options.data, column.name));
}

std::vector<double> weights_of(const Table& table, const std::string& column, const Rows& rows) {
  std::vector<double> weights;
  weights.reserve(rows.size());
  for (const std::uint32_t row : rows) weights.push_back(table.column(column).numbers[row]);
  return weights;
}

ModelDefinition weighted_model(ModelDefinition model, const Table& table, const TableRecipe& recipe,
                               const SplitRows& split, const TableOptions& options) {
  const bool is_balanced = options.class_weights == ClassWeights::balanced;
  if (options.weight.empty() && !is_balanced) return model;
  model.loss = recipe.task == Task::classify ? cross_entropy_of_rows : squared_error_of_rows;
  if (!options.weight.empty()) model.sample_weights = "weight";
  if (is_balanced) model.class_weights = class_weights_of(table, recipe, split.training);
  return model;
}

}  // namespace gradus
