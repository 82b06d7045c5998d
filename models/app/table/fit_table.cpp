#include "models/app/table/fit_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <iterator>

#include "gradus/data/csv.hpp"
#include "gradus/data/option_error.hpp"
#include "gradus/data/read_table.hpp"
#include "gradus/inspect/draw.hpp"
#include "gradus/inspect/dump.hpp"
#include "gradus/train/callbacks.hpp"
#include "models/app/progress/progress.hpp"
#include "models/app/table/column_report.hpp"
#include "models/app/table/csv_options.hpp"
#include "models/app/table/make_recipe.hpp"
#include "models/app/table/number_range.hpp"
#include "models/app/table/spread.hpp"
#include "models/app/table/table_network.hpp"
#include "models/app/table/table_report.hpp"
#include "models/app/table/table_weights.hpp"

namespace gradus {

namespace {

// The options of a CSV file's format that are not as usual.
std::vector<std::string> csv_options_of(const TableOptions& options) {
  const TableFormat usual, &format = options.format;
  std::vector<std::string> given;
  if (format.delimiter != usual.delimiter) given.emplace_back("delimiter");
  if (format.style.decimal != usual.style.decimal) given.emplace_back("decimal");
  if (format.style.thousands != usual.style.thousands) given.emplace_back("thousands");
  if (!format.header) given.emplace_back("header=false");
  if (options.names_are_numbers) given.emplace_back("names_are_numbers");
  return given;
}

Table read_rows(const TableOptions& options) {
  require_csv_for(csv_options_of(options), options.data);
  if (options.target.empty())
    throw OptionError({"target"}, "target is empty; name the column that is to be predicted");
  if (std::ranges::find(options.exclude, options.target) != options.exclude.end())
    throw Error(fmt::format("column '{}' is the target and cannot be excluded, too", options.target));
  ReadTableOptions read{.text = options.text,
                        .delimiter = options.format.delimiter,
                        .header = options.format.header,
                        .names_are_numbers = options.names_are_numbers,
                        .exclude = options.exclude,
                        .complete = {options.target},
                        .style = options.format.style,
                        .na = options.format.na,
                        .missing = options.missing == Missing::error  ? MissingValues::error
                                   : options.missing == Missing::drop ? MissingValues::drop
                                                                      : MissingValues::keep};
  if (!options.features.empty()) {
    read.columns = options.features;
    if (std::ranges::find(options.features, options.target) != options.features.end())
      throw Error(fmt::format("column '{}' is the target and cannot be a feature, too", options.target));
    read.columns.push_back(options.target);
  }
  if (options.task == Task::regress && std::ranges::find(options.text, options.target) != options.text.end())
    throw OptionError({"text=" + options.target, "task=regress"},
                      fmt::format("column '{}' is the target of a regression and is to be read as text, too; "
                                  "give one of both",
                                  options.target));
  if (options.task == Task::classify) read.text.push_back(options.target);
  if (options.task == Task::regress) read.numbers.push_back(options.target);
  if (!options.weight.empty()) {
    check_weight_column(options);
    read.numbers.push_back(options.weight);
    if (!options.features.empty()) read.columns.push_back(options.weight);
  }
  return with_progress("reading " + options.data, [&] { return read_table(options.data, read); });
}

template <class T>
Dataset<T> dataset(const Table& table, const TableRecipe& recipe, const Rows& rows,
                   const TableOptions& options) {
  std::vector<std::vector<double>> tensors{encode_features(table, recipe, rows),
                                           encode_target(table, recipe, rows)};
  require_in_range<T>(table, recipe.features, rows, tensors[0]);
  require_in_range<T>(table, {recipe.target}, rows, tensors[1]);
  if (!options.weight.empty()) {
    tensors.push_back(weights_of(table, options.weight, rows));
    require_in_range<T>(table, {ColumnRecipe{options.weight}}, rows, tensors[2]);
  }
  return {static_cast<std::int64_t>(rows.size()), tensors};
}

// The part of the spread of standardised numbers that the answers explain.
std::string r_squared(std::span<const double> targets, std::span<const double> off) {
  const double spread = spread_of(targets).deviation;
  if (std::ranges::all_of(targets, [&](double z) { return z == targets.front(); }))
    return "not defined, as the target is constant";
  const double value = 1 - std::pow(root_mean_square(off) / spread, 2);
  return !std::isfinite(value) ? "below -1e308"
         : value > -1e6        ? fmt::format("{:.4f}", value)
                               : fmt::format("{:.4g}", value);
}

// "accuracy 0.9667", or R² and the mean absolute error in the target's own unit.
template <class T>
std::string quality(Trainer<T>& trainer, const Dataset<T>& data, const Table& table,
                    const TableRecipe& recipe, const Rows& rows) {
  if (recipe.task == Task::classify)
    return fmt::format("accuracy {:.4f}", trainer.evaluate(data).at("accuracy"));
  const auto predicted = trainer.predict(data);
  const std::vector<double> targets = encode_target(table, recipe, rows);
  std::vector<double> off(rows.size());
  double absolute = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!std::isfinite(predicted[i]))
      return fmt::format("R² not defined, as the answer to {} is no finite number",
                         table.place(rows[i], recipe.target.name));
    off[i] = targets[i] - static_cast<double>(predicted[i]);
    absolute += std::abs(off[i]) / static_cast<double>(rows.size());
  }
  return fmt::format("R² {}, mean absolute error {:.6g}", r_squared(targets, off),
                     absolute * recipe.target.deviation);
}

std::string yes_or_no(bool yes) { return yes ? "yes" : "no"; }

std::string character(char c) {
  return c == '\0' ? "none" : c == '\t' ? "tab" : c == ' ' ? "space" : std::string(1, c);
}

// Every setting but the optimizer's, which who made it knows.
Facts settings_of(const TableOptions& options, const TableRecipe& recipe) {
  const auto or_none = [](const std::string& text) { return text.empty() ? std::string("none") : text; };
  const auto listed = [&](const auto& texts) { return or_none(fmt::format("{}", fmt::join(texts, ", "))); };
  return {{"data", options.data},
          {"target", recipe.target.name},
          {"task", recipe.task == Task::classify ? "classify" : "regress"},
          {"hidden", recipe.hidden.empty() ? "0 (a linear model)" : listed(recipe.hidden)},
          {"activation", recipe.activation},
          {"normalization", or_none(recipe.normalization)},
          {"dropout", fmt::format("{}", recipe.dropout)},
          {"standardize", yes_or_no(options.standardize)},
          {"epochs", fmt::format("{}", options.epochs)},
          {"batch", fmt::format("{} rows", options.batch)},
          {"threads", fmt::format("{}", options.threads)},
          {"reproducible", yes_or_no(options.reproducible)},
          {"seed", fmt::format("{}", options.seed)},
          {"precision", options.in_double ? "double" : "float"},
          {"patience", options.patience == 0 ? "none" : fmt::format("{} epochs", options.patience)},
          {"validation split", fmt::format("{}", options.validation_split)},
          {"in order", yes_or_no(options.in_order)},
          {"stratify", yes_or_no(options.stratify)},
          {"weight", or_none(options.weight)},
          {"class weights", options.class_weights == ClassWeights::balanced ? "balanced" : "none"},
          {"features", options.features.empty() ? "all" : listed(options.features)},
          {"text", listed(options.text)},
          {"exclude", listed(options.exclude)},
          {"missing", std::string(name_of(options.missing))},
          {"na", listed(options.format.na)},
          {"strict", yes_or_no(options.strict)},
          {"delimiter", character(recipe.format.delimiter)},
          {"header", yes_or_no(options.format.header)},
          {"decimal", character(options.format.style.decimal)},
          {"thousands", character(options.format.style.thousands)},
          {"save", or_none(options.files.weights)}};
}

// With the settings that a resumed training must have, too: those that shape its model, its data or its
// steps.
TrainingFiles files_of(const TableOptions& options, const TableRecipe& recipe) {
  constexpr std::array<std::string_view, 11> may_differ{"data",    "epochs",    "threads", "reproducible",
                                                        "save",    "strict",    "header",  "delimiter",
                                                        "decimal", "thousands", "na"};
  TrainingFiles files = options.files;
  for (const auto& [name, value] : settings_of(options, recipe))
    if (std::ranges::find(may_differ, name) == may_differ.end()) files.options.emplace(name, value);
  return files;
}

RunReport begin_report(const Table& table, const TableRecipe& recipe, const SplitRows& split,
                       const TableOptions& options) {
  RunReport report;
  report.name = fmt::format("{} from {}", recipe.target.name, table.path().filename().string());
  const std::string what = recipe.hidden.empty()
                               ? "A linear model"
                               : fmt::format("A network with hidden layers of {} units ({})",
                                             fmt::join(recipe.hidden, ", "), recipe.activation);
  report.about = fmt::format("{} that {} '{}'", what,
                             recipe.task == Task::classify ? "classifies" : "predicts", recipe.target.name);
  std::vector<std::string_view> features;
  for (const ColumnRecipe& feature : recipe.features) features.push_back(feature.name);
  report.data = {{"table", options.data},
                 {"rows", fmt::format("{}: {} for training, {} for validation", table.rows(),
                                      split.training.size(), split.validation.size())},
                 {"features", fmt::format("{}", fmt::join(features, ", "))},
                 {"target", recipe.target.name}};
  for (const auto& fact : column_facts(table)) report.data.push_back(fact);
  for (const std::string& note : table.notes()) report.data.emplace_back("note", note);
  report.settings = settings_of(options, recipe);
  std::ranges::move(file_facts(options.files), std::back_inserter(report.settings));
  return report;
}

template <class T>
RunReport train_on(const Table& table, const TableRecipe& recipe, const SplitRows& split,
                   const TableOptions& options) {
  const auto training = dataset<T>(table, recipe, split.training, options);
  FitOptions<T> fit{.epochs = options.epochs,
                    .batch = options.batch,
                    .verbose = false,
                    .threads = options.threads,
                    .reproducible = options.reproducible};
  if (!split.validation.empty()) fit.validation = dataset<T>(table, recipe, split.validation, options);
  fit.callbacks = {progress_bar({.print = options.print, .live = options.live})};
  if (options.patience > 0) {
    if (split.validation.empty())
      throw OptionError({"patience", "validation_split"},
                        "patience watches val_loss; it needs a validation_split above 0");
    fit.callbacks.push_back(early_stopping({.patience = options.patience}));
  }
  Trainer<T> trainer(weighted_model(model_of(recipe, options.optimizer), table, recipe, split, options),
                     options.seed);
  trainer.notes()["recipe"] = recipe.json();
  RunReport report = begin_report(table, recipe, split, options);
  options.print(fmt::format(
      "{}: {} rows, {} features; {} '{}'\n{}", options.data, table.rows(), recipe.features.size(),
      recipe.task == Task::classify ? fmt::format("{} classes of", recipe.target.categories.size())
                                    : "regression of",
      recipe.target.name, trainer.summary()));
  const auto start = std::chrono::steady_clock::now();
  report.history = run_training(trainer, training, fit, files_of(options, recipe));
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto conclude = [&](const std::string& what, const Dataset<T>& data, const Rows& rows) {
    const std::string found =
        with_progress("evaluating the " + what, [&] { return quality(trainer, data, table, recipe, rows); });
    report.figures.emplace_back(what, fmt::format("{} ({} rows)", found, rows.size()));
    options.print(fmt::format("{:<11} {}\n", what + ":", report.figures.back().second));
  };
  conclude("training", training, split.training);
  if (fit.validation) conclude("validation", *fit.validation, split.validation);
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

std::string warning(const OptionError& odd, const TableOptions& options) {
  const std::string text = options.spell ? options.spell(odd) : odd.what();
  return fmt::format("warning: {}\n", text);
}

}  // namespace

RunReport fit_table(const TableOptions& options) {
  const Table table = read_rows(options);
  options.print(column_table(table));
  for (const OptionError& odd : odd_columns(table, options)) options.print(warning(odd, options));
  const SplitRows split = split_rows(table, options);
  check_weights(table, options, split);
  const TableRecipe recipe = make_recipe(table, options, split);
  for (const UnknownLevel& unknown : first_of_columns(unknown_levels(table, recipe, split.validation, false)))
    options.print(fmt::format(
        "note: column '{}': only validation rows have '{}'{}; it is taken for none of the known levels\n",
        unknown.column, unknown.label, others_text(unknown)));
  return options.in_double ? train_on<double>(table, recipe, split, options)
                           : train_on<float>(table, recipe, split, options);
}

}  // namespace gradus
