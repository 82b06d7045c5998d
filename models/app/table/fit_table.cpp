#include "models/app/table/fit_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <numeric>
#include <set>

#include "gradus/base/random.hpp"
#include "gradus/data/atomic_file.hpp"
#include "gradus/data/csv.hpp"
#include "gradus/data/option_error.hpp"
#include "gradus/data/read_table.hpp"
#include "gradus/inspect/draw.hpp"
#include "gradus/inspect/dump.hpp"
#include "gradus/train/callbacks.hpp"
#include "gradus/train/split.hpp"
#include "models/app/table/table_network.hpp"
#include "models/app/table/table_report.hpp"

namespace gradus {

namespace {

struct Split {
  Rows training;
  Rows validation;
};

Split split_of(const Table& table, const TableOptions& options) {
  if (!(options.validation_split >= 0 && options.validation_split < 1))
    throw OptionError({"validation_split"},
                      fmt::format("validation_split is {}; it must be in [0, 1)", options.validation_split));
  Rows rows(table.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  if (!options.in_order) Random(options.seed, stream_of("split")).shuffle(rows);
  const auto end =
      rows.begin() + training_count(static_cast<std::int64_t>(rows.size()), options.validation_split);
  Split split{{rows.begin(), end}, {end, rows.end()}};
  if (split.training.empty() || (split.validation.empty() && options.validation_split > 0))
    throw OptionError({"validation_split"},
                      fmt::format("{}: a validation_split of {} leaves {} of {} rows for training and {} for "
                                  "validation; there must be some of both",
                                  options.data, options.validation_split, split.training.size(), rows.size(),
                                  split.validation.size()));
  return split;
}

ColumnRecipe number_recipe(const TableColumn& column, const Rows& rows, bool standardize) {
  ColumnRecipe recipe{column.name};
  if (!standardize) return recipe;
  double sum = 0, squares = 0;
  for (const std::uint32_t row : rows) sum += column.numbers[row];
  recipe.mean = sum / static_cast<double>(rows.size());
  for (const std::uint32_t row : rows) squares += std::pow(column.numbers[row] - recipe.mean, 2);
  const double deviation = std::sqrt(squares / static_cast<double>(rows.size()));
  // A column that is constant but for rounding says nothing: it becomes zeros.
  const bool constant = deviation <= 1e-12 * std::abs(recipe.mean);
  recipe.deviation = constant || deviation == 0 ? 1 : deviation;
  if (!std::isfinite(recipe.mean) || !std::isfinite(recipe.deviation))
    throw Error(
        fmt::format("column '{}': its numbers are too large to be standardised; scale them", column.name));
  return recipe;
}

ColumnRecipe text_recipe(const TableColumn& column, const Rows& rows) {
  std::set<std::string> seen;
  for (const std::uint32_t row : rows) seen.insert(column.labels[column.codes[row]]);
  ColumnRecipe recipe{column.name};
  recipe.categories.assign(seen.begin(), seen.end());
  // Classes that are numbers in the order of numbers: 2 before 10.
  const auto number = [](const std::string& text) {
    double value = NAN;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  if (std::ranges::none_of(recipe.categories, [&](const auto& c) { return std::isnan(number(c)); }))
    std::ranges::stable_sort(recipe.categories, {}, number);
  return recipe;
}

Table read_rows(const TableOptions& options) {
  if (options.target.empty())
    throw OptionError({"target"}, "target is empty; name the column that is to be predicted");
  ReadTableOptions read{.text = options.text, .delimiter = options.delimiter, .header = options.header};
  if (!options.features.empty()) {
    read.columns = options.features;
    if (std::ranges::find(options.features, options.target) != options.features.end())
      throw Error(fmt::format("column '{}' is the target and cannot be a feature, too", options.target));
    read.columns.push_back(options.target);
  }
  if (options.task == Task::classify) read.text.push_back(options.target);
  if (options.task == Task::regress) read.numbers.push_back(options.target);
  return read_table(options.data, read);
}

// Classes must be learnable, and all known to the training.
void check_classes(const Table& table, const TableRecipe& recipe, const Split& split) {
  const TableColumn& column = table.column(recipe.target.name);
  const std::size_t classes = recipe.target.categories.size();
  if (classes < 2)
    throw Error(
        fmt::format("{}: column '{}': there is only one class, '{}', in the rows of training; a "
                    "classification needs at least two",
                    table.path().string(), column.name, recipe.target.categories.front()));
  if (column.labels.size() == table.rows() && table.rows() > 2)
    throw OptionError(
        {"task=regress"},
        fmt::format("{}: column '{}': every row has a class of its own, {} in all; name another "
                    "target, or regress it if these are numbers",
                    table.path().string(), column.name, column.labels.size()));
  for (const std::uint32_t row : split.validation) {
    const std::string& label = column.labels[column.codes[row]];
    if (std::ranges::find(recipe.target.categories, label) == recipe.target.categories.end())
      throw OptionError(
          {"seed", "in_order=false", "validation_split"},
          fmt::format("{}: the class '{}' occurs only in the rows that are kept for validation; add rows "
                      "of it, use another seed, split at random and not in order, or keep fewer rows",
                      table.place(row, column.name), label));
  }
}

TableRecipe make_recipe(const Table& table, const TableOptions& options, const Split& split) {
  TableRecipe recipe;
  const TableColumn& target = table.column(options.target);
  recipe.task = options.task.value_or(target.is_number ? Task::regress : Task::classify);
  for (const TableColumn& column : table.columns()) {
    if (column.name == options.target) continue;
    recipe.features.push_back(column.is_number ? number_recipe(column, split.training, options.standardize)
                                               : text_recipe(column, split.training));
  }
  if (recipe.features.empty())
    throw OptionError(
        {"delimiter"},
        fmt::format(
            "{}: '{}' is the only column; there must be others to predict it from, or, if there are, another "
            "delimiter than '{}'",
            table.path().string(), options.target, options.delimiter));
  recipe.target =
      target.is_number ? number_recipe(target, split.training, true) : text_recipe(target, split.training);
  if (recipe.task == Task::classify) check_classes(table, recipe, split);
  recipe.hidden = options.hidden;
  recipe.activation = options.activation;
  recipe.normalization = options.normalization;
  recipe.dropout = options.dropout;
  recipe.in_double = options.in_double;
  return recipe;
}

template <class T> Dataset<T> dataset(const Table& table, const TableRecipe& recipe, const Rows& rows) {
  return {static_cast<std::int64_t>(rows.size()),
          {encode_features(table, recipe, rows), encode_target(table, recipe, rows)}};
}

// "accuracy 0.9667", or R² and the mean absolute error in the target's own unit.
template <class T>
std::string quality(Trainer<T>& trainer, const Dataset<T>& data, const Table& table,
                    const TableRecipe& recipe, const Rows& rows) {
  if (recipe.task == Task::classify)
    return fmt::format("accuracy {:.4f}", trainer.evaluate(data).at("accuracy"));
  const auto& numbers = table.column(recipe.target.name).numbers;
  const auto predicted = trainer.predict(data);
  double mean = 0, residual = 0, total = 0, absolute = 0;
  for (const std::uint32_t row : rows) mean += numbers[row] / static_cast<double>(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double y = static_cast<double>(predicted[i]) * recipe.target.deviation + recipe.target.mean;
    const double off = numbers[rows[i]] - y;
    residual += off * off;
    total += std::pow(numbers[rows[i]] - mean, 2);
    absolute += std::abs(off) / static_cast<double>(rows.size());
  }
  // Not by the sum of squares, which rounding keeps above 0.
  const bool is_constant =
      std::ranges::all_of(rows, [&](std::uint32_t row) { return numbers[row] == numbers[rows[0]]; });
  const std::string r2 = is_constant ? "not defined (every row has the same target)"
                                     : fmt::format("{:.4f}", 1 - residual / total);
  return fmt::format("R² {}, mean absolute error {:.6g}", r2, absolute);
}

RunReport begin_report(const Table& table, const TableRecipe& recipe, const Split& split,
                       const TableOptions& options) {
  RunReport report;
  report.name = fmt::format("{} from {}", recipe.target.name, table.path().filename().string());
  report.about = fmt::format("A network with hidden layers of {} units ({}) that {} '{}'",
                             fmt::join(recipe.hidden, ", "), recipe.activation,
                             recipe.task == Task::classify ? "classifies" : "predicts", recipe.target.name);
  std::vector<std::string_view> features;
  for (const ColumnRecipe& feature : recipe.features) features.push_back(feature.name);
  report.data = {{"table", options.data},
                 {"rows", fmt::format("{}: {} for training, {} for validation", table.rows(),
                                      split.training.size(), split.validation.size())},
                 {"features", fmt::format("{}", fmt::join(features, ", "))},
                 {"target", recipe.target.name}};
  report.settings = {{"epochs", fmt::format("{}", options.epochs)},
                     {"batch", fmt::format("{} rows", options.batch)},
                     {"threads", fmt::format("{}", options.threads)},
                     {"seed", fmt::format("{}", options.seed)},
                     {"precision", options.in_double ? "double" : "float"}};
  return report;
}

template <class T>
RunReport train_on(const Table& table, const TableRecipe& recipe, const Split& split,
                   const TableOptions& options) {
  const auto training = dataset<T>(table, recipe, split.training);
  FitOptions<T> fit{
      .epochs = options.epochs, .batch = options.batch, .verbose = false, .threads = options.threads};
  if (!split.validation.empty()) fit.validation = dataset<T>(table, recipe, split.validation);
  fit.callbacks = {progress_bar({.print = options.print, .live = options.live})};
  if (options.patience > 0) {
    if (split.validation.empty())
      throw OptionError({"patience", "validation_split"},
                        "patience watches val_loss; it needs a validation_split above 0");
    fit.callbacks.push_back(early_stopping({.patience = options.patience}));
  }
  Trainer<T> trainer(model_of(recipe, options.optimizer), options.seed);
  trainer.notes()["recipe"] = recipe.json();
  RunReport report = begin_report(table, recipe, split, options);
  options.print(fmt::format(
      "{}: {} rows, {} features; {} '{}'\n{}", options.data, table.rows(), recipe.features.size(),
      recipe.task == Task::classify ? fmt::format("{} classes of", recipe.target.categories.size())
                                    : "regression of",
      recipe.target.name, trainer.summary()));
  const auto start = std::chrono::steady_clock::now();
  report.history = run_training(trainer, training, fit, options.files);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto conclude = [&](const std::string& what, const Dataset<T>& data, const Rows& rows) {
    report.figures.emplace_back(
        what, fmt::format("{} ({} rows)", quality(trainer, data, table, recipe, rows), rows.size()));
    options.print(fmt::format("{:<11} {}\n", what + ":", report.figures.back().second));
  };
  conclude("training", training, split.training);
  if (fit.validation) conclude("validation", *fit.validation, split.validation);
  if (!options.save.empty()) {
    trainer.save_weights(options.save);
    options.print(fmt::format("saved {}\n", options.save));
  }
  if (!options.pictures) return report;
  report.summary = trainer.summary();
  report.pictures =
      recipe.task == Task::classify
          ? curves(report.history,
                   {{"loss", "cross-entropy (nats)"}, {"accuracy", "accuracy (share of rows)"}})
          : curves(report.history,
                   {{"loss", fmt::format("mean square error (variances of {})", recipe.target.name)},
                    {"mean_absolute_error",
                     fmt::format("mean absolute error (deviations of {})", recipe.target.name)}});
  const auto predicted = trainer.predict(fit.validation ? *fit.validation : training);
  report.pictures.push_back(picture_of(table, recipe, fit.validation ? split.validation : split.training,
                                       {predicted.begin(), predicted.end()}));
  const ModelGraph& graph = trainer.graph(Mode::training);
  report.graph = graph_dot(std::vector{graph.loss, graph.prediction}, graph.updates);
  return report;
}

}  // namespace

RunReport fit_table(const TableOptions& options) {
  const Table table = read_rows(options);
  const Split split = split_of(table, options);
  const TableRecipe recipe = make_recipe(table, options, split);
  for (const std::string& file : {options.save, options.files.history, options.files.checkpoint})
    if (!file.empty()) require_writable(file);
  return options.in_double ? train_on<double>(table, recipe, split, options)
                           : train_on<float>(table, recipe, split, options);
}

namespace {

template <class T>
std::string predictions(const TensorFile& file, const TableRecipe& recipe, const Table& table) {
  Rows rows(table.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  Trainer<T> trainer(model_of(recipe));
  trainer.load_weights(file.path().string());
  const Dataset<T> data(static_cast<std::int64_t>(rows.size()), {encode_features(table, recipe, rows)});
  const auto y = trainer.predict(data);
  std::string text = "prediction";
  for (const std::string& label : recipe.target.categories) text += "," + csv_field("p(" + label + ")");
  text += "\n";
  const auto width = static_cast<std::size_t>(recipe.outputs());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const T* row = &y[i * width];
    if (recipe.task == Task::regress) {
      // In double to the end: of a large mean, a float would not hold the digits that were learnt.
      text += fmt::format("{}\n", static_cast<double>(*row) * recipe.target.deviation + recipe.target.mean);
      continue;
    }
    const T* best = std::max_element(row, row + width);
    text += csv_field(recipe.target.categories[static_cast<std::size_t>(best - row)]);
    double total = 0;
    for (std::size_t k = 0; k < width; ++k) total += std::exp(static_cast<double>(row[k] - *best));
    for (std::size_t k = 0; k < width; ++k)
      text += fmt::format(",{:.6g}", std::exp(static_cast<double>(row[k] - *best)) / total);
    text += "\n";
  }
  return text;
}

}  // namespace

std::string predict_table(const std::string& model, const std::string& data, char delimiter) {
  const TensorFile file(model);
  const TableRecipe recipe = recipe_of(file);
  ReadTableOptions options{.delimiter = delimiter};
  for (const ColumnRecipe& feature : recipe.features) {
    options.columns.push_back(feature.name);
    (feature.is_number() ? options.numbers : options.text).push_back(feature.name);
  }
  const Table table = read_table(data, options);
  return recipe.in_double ? predictions<double>(file, recipe, table)
                          : predictions<float>(file, recipe, table);
}

}  // namespace gradus
