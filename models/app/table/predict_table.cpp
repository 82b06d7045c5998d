#include "models/app/table/predict_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "gradus/data/csv.hpp"
#include "gradus/data/option_error.hpp"
#include "gradus/data/read_table.hpp"
#include "gradus/train/trainer.hpp"
#include "models/app/progress/progress.hpp"
#include "models/app/table/table_network.hpp"
#include "models/data/number_text.hpp"

namespace gradus {

namespace {

Table read_features(const TableRecipe& recipe, const PredictTableOptions& options) {
  const TableFormat& format = recipe.format;
  ReadTableOptions read{.delimiter = options.delimiter.value_or(format.delimiter),
                        .header = format.header,
                        .style = {options.decimal.value_or(format.style.decimal),
                                  options.thousands.value_or(format.style.thousands)},
                        .na = format.na,
                        .missing = MissingValues::keep,
                        .keep_blank_rows = true};
  read.na.insert(read.na.end(), options.na.begin(), options.na.end());
  for (const ColumnRecipe& feature : recipe.features) {
    read.columns.push_back(feature.name);
    (feature.is_date ? read.dates : feature.is_number() ? read.numbers : read.text).push_back(feature.name);
  }
  // The first line of a table without names is only then one of names when the training's was.
  read.names_are_numbers =
      std::ranges::all_of(read.columns, [](const auto& name) { return number_of(name).has_value(); });
  Table table = with_progress("reading " + options.data, [&] { return read_table(options.data, read); });
  for (const std::string& text : table.notes())
    if (options.print) options.print(fmt::format("note: {}: {}\n", options.data, text));
  return table;
}

// The first column that lacks a value in the row, where the recipe has nothing to put there.
const TableColumn* column_without_value(const Table& table, const TableRecipe& recipe, std::size_t row) {
  if (recipe.missing == Missing::mean || recipe.missing == Missing::level) return nullptr;
  for (const TableColumn& column : table.columns())
    if (column.missing > 0 && column.lacks_value(row)) return &column;
  return nullptr;
}

// Whether each row has an answer; says which has none, and which levels are unknown. Error with `strict`.
std::vector<bool> answerable(const Table& table, const TableRecipe& recipe, const Rows& rows,
                             const PredictTableOptions& options) {
  const auto note = [&](const std::string& text) {
    if (options.print) options.print("note: " + text + "\n");
  };
  const auto unknown_ones = unknown_levels(table, recipe, rows, false);
  if (options.strict && !unknown_ones.empty()) throw unknown_level_error(table, recipe, unknown_ones.front());
  for (const UnknownLevel& unknown : first_of_columns(unknown_ones))
    note(fmt::format(
        "{}: '{}' does not occur in the rows of training; it is taken for none of the known levels{}",
        table.place(unknown.row, unknown.column), unknown.label, others_text(unknown)));
  std::vector<bool> answers(rows.size(), true);
  std::string first;
  std::size_t count = 0;
  for (const std::uint32_t row : rows) {
    const TableColumn* column = column_without_value(table, recipe, row);
    if (column == nullptr) continue;
    answers[row] = false;
    if (++count > 1) continue;
    first = fmt::format("{}: the value is missing, and the model was trained without missing values",
                        table.place(row, column->name));
    if (options.strict)
      throw OptionError({"strict=false"}, first + "; fill it in, or let the row be answered with NA");
  }
  if (count > 0)
    note(fmt::format("{}; the answer is NA{}", first, count > 1 ? fmt::format(" ({} rows)", count) : ""));
  return answers;
}

// The class and the probabilities of all.
template <class T> std::string class_line(const TableRecipe& recipe, const T* row) {
  const T* end = row + recipe.target.categories.size();
  const T* best = std::max_element(row, end);
  std::string text = csv_field(recipe.target.categories[static_cast<std::size_t>(best - row)]);
  double total = 0;
  for (const T* each = row; each < end; ++each) total += std::exp(static_cast<double>(*each - *best));
  for (const T* each = row; each < end; ++each)
    text += fmt::format(",{:.6g}", std::exp(static_cast<double>(*each - *best)) / total);
  return text;
}

// The number in the target's own unit, in as many digits as the network's numbers are worth: those of the
// deviation that it learnt, and those by which the number is larger.
template <class T> std::string number_line(const TableRecipe& recipe, T y) {
  const double value = static_cast<double>(y) * recipe.target.deviation + recipe.target.mean;
  constexpr int own = std::numeric_limits<T>::digits10 + 3, most = std::numeric_limits<double>::max_digits10;
  const double larger = std::min(std::max(1.0, std::abs(value) / recipe.target.deviation), 1e17);
  return fmt::format("{:.{}g}", value, std::min(own + static_cast<int>(std::log10(larger)), most));
}

template <class T>
std::string predictions(const TensorFile& file, const TableRecipe& recipe, const Table& table,
                        const PredictTableOptions& options) {
  Rows rows(table.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  const std::vector<bool> answers = answerable(table, recipe, rows, options);
  const Progress progress("predicting");
  Trainer<T> trainer(model_of(recipe));
  trainer.load_weights(file.path().string());
  std::vector<double> features = encode_features(table, recipe, rows);
  for (double& x : features) x = std::isnan(x) ? 0 : x;  // of rows without an answer
  const Dataset<T> data(static_cast<std::int64_t>(rows.size()), {std::move(features)});
  const auto y = trainer.predict(data);
  std::string text = "prediction";
  for (const std::string& label : recipe.target.categories) text += "," + csv_field("p(" + label + ")");
  text += "\n";
  const auto width = static_cast<std::size_t>(recipe.outputs());
  const std::string none = "NA" + std::string(recipe.target.categories.size(), ',');
  for (std::size_t i = 0; i < rows.size(); ++i)
    text += (!answers[i]                    ? none
             : recipe.task == Task::regress ? number_line(recipe, y[i])
                                            : class_line(recipe, &y[i * width])) +
            "\n";
  return text;
}

}  // namespace

std::string predict_table(const PredictTableOptions& options) {
  const TensorFile file(options.model);
  const TableRecipe recipe = recipe_of(file);
  const Table table = read_features(recipe, options);
  return recipe.in_double ? predictions<double>(file, recipe, table, options)
                          : predictions<float>(file, recipe, table, options);
}

}  // namespace gradus
