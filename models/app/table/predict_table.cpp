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
#include "models/app/table/csv_options.hpp"
#include "models/app/table/number_range.hpp"
#include "models/app/table/table_network.hpp"
#include "models/data/number_text.hpp"

namespace gradus {

namespace {

Table read_features(const TableRecipe& recipe, const PredictTableOptions& options) {
  std::vector<std::string> given;
  const TableFormat usual;  // which may be given to undo the model's own
  if (options.delimiter.value_or(usual.delimiter) != usual.delimiter) given.emplace_back("delimiter");
  if (options.decimal.value_or(usual.style.decimal) != usual.style.decimal) given.emplace_back("decimal");
  if (options.thousands.value_or(usual.style.thousands) != usual.style.thousands)
    given.emplace_back("thousands");
  require_csv_for(given, options.data);
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

// Whether rows without an answer are noted, or make the command fail once all is written.
enum class Gravity { note, fault };

// The rows that have an answer. Those that have none are said, of each cause the first.
class Answers {
 public:
  Answers(std::size_t rows, const PredictTableOptions& options) : known_(rows, true), options_(options) {}

  bool has(std::size_t row) const { return known_[row]; }
  void note(const std::string& text) const {
    if (options_.print) options_.print("note: " + text + "\n");
  }
  const std::string& fault() const { return fault_; }
  // Rows without an answer, for one cause: that of the first, and how to mend it. Error with `strict`.
  template <class Cause>
  void take_from(const std::vector<std::size_t>& rows, const Cause& cause, const char* remedy,
                 Gravity gravity) {
    if (rows.empty()) return;
    const std::string first = cause(rows.front());
    if (options_.strict)
      throw OptionError({"strict=false"},
                        fmt::format("{}; {}, or let the row be answered with NA", first, remedy));
    for (const std::size_t row : rows) known_[row] = false;
    const std::string count = rows.size() > 1 ? fmt::format(" ({} rows)", rows.size()) : "";
    if (gravity == Gravity::note)
      note(fmt::format("{}; the answer is NA{}", first, count));
    else if (fault_.empty())
      fault_ =
          fmt::format("{}; {}; the answer is NA{}, and the other rows have theirs", first, remedy, count);
  }

 private:
  std::string fault_;
  std::vector<bool> known_;
  const PredictTableOptions& options_;
};

// The rows, of those with an answer, for which this holds.
template <class Holds>
std::vector<std::size_t> rows_where(const Answers& answers, std::size_t rows, const Holds& holds) {
  std::vector<std::size_t> found;
  for (std::size_t row = 0; row < rows; ++row)
    if (answers.has(row) && holds(row)) found.push_back(row);
  return found;
}

void note_unknown_levels(const Answers& answers, const Table& table, const TableRecipe& recipe,
                         const Rows& rows, bool strict) {
  const auto unknown_ones = unknown_levels(table, recipe, rows, false);
  if (strict && !unknown_ones.empty()) throw unknown_level_error(table, recipe, unknown_ones.front());
  for (const UnknownLevel& unknown : first_of_columns(unknown_ones))
    answers.note(fmt::format(
        "{}: '{}' does not occur in the rows of training; it is taken for none of the known levels{}",
        table.place(unknown.row, unknown.column), unknown.label, others_text(unknown)));
}

// Takes the answers from rows whose inputs are missing, or beyond the network's type.
template <class T>
void look_at_inputs(Answers& answers, const Table& table, const TableRecipe& recipe,
                    std::span<const double> features) {
  const auto lacking = [&](std::size_t row) { return column_without_value(table, recipe, row); };
  answers.take_from(
      rows_where(answers, table.rows(), lacking),
      [&](std::size_t row) {
        return fmt::format("{}: the value is missing, and the model was trained without missing values",
                           table.place(row, lacking(row)->name));
      },
      "fill it in", Gravity::note);
  const auto width = static_cast<std::size_t>(recipe.inputs());
  const auto beyond = [&](std::size_t row) {
    return column_beyond<T>(recipe.features, features.subspan(row * width, width));
  };
  answers.take_from(
      rows_where(answers, table.rows(), beyond),
      [&](std::size_t row) { return beyond_text<T>(table, *beyond(row), row); }, "correct it",
      Gravity::fault);
}

// Takes the answers from rows for which the network has no finite one; its largest input is to blame.
template <class T>
void look_at_outputs(Answers& answers, const Table& table, const TableRecipe& recipe,
                     std::span<const double> features, const std::vector<T>& y) {
  const auto width = static_cast<std::size_t>(recipe.outputs());
  const auto not_finite = [&](std::size_t row) {
    const auto outputs = std::span(y).subspan(row * width, width);
    return std::ranges::any_of(
        outputs, [&](T each) { return !std::isfinite(recipe.target.original(static_cast<double>(each))); });
  };
  const auto cause = [&](std::size_t row) {
    const auto inputs =
        features.subspan(row * features.size() / table.rows(), features.size() / table.rows());
    auto largest = static_cast<std::ptrdiff_t>(
        std::ranges::max_element(inputs, {}, [](double x) { return std::abs(x); }) - inputs.begin());
    const ColumnRecipe* column = recipe.features.data();
    while (largest >= column->width()) largest -= (column++)->width();
    return fmt::format("{}: the network's answer is no finite number, as its inputs are too large",
                       table.place(row, column->name));
  };
  answers.take_from(rows_where(answers, table.rows(), not_finite), cause, "correct it", Gravity::fault);
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
  const double value = recipe.target.original(static_cast<double>(y));
  constexpr int own = std::numeric_limits<T>::digits10 + 3, most = std::numeric_limits<double>::max_digits10;
  const double larger = std::min(std::max(1.0, std::abs(value) / recipe.target.deviation), 1e17);
  return fmt::format("{:.{}g}", value, std::min(own + static_cast<int>(std::log10(larger)), most));
}

template <class T>
TablePredictions predictions(const TensorFile& file, const TableRecipe& recipe, const Table& table,
                             const PredictTableOptions& options) {
  Rows rows(table.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  Answers answers(rows.size(), options);
  note_unknown_levels(answers, table, recipe, rows, options.strict);
  std::vector<double> features = encode_features(table, recipe, rows);
  look_at_inputs<T>(answers, table, recipe, features);
  const auto width = static_cast<std::size_t>(recipe.outputs()), inputs = features.size() / rows.size();
  for (std::size_t i = 0; i < features.size(); ++i)
    if (!answers.has(i / inputs)) features[i] = 0;
  const Progress progress("predicting");
  Trainer<T> trainer(model_of(recipe));
  trainer.load_weights(file.path().string());
  const Dataset<T> data(static_cast<std::int64_t>(rows.size()), {features});
  const auto y = trainer.predict(data);
  look_at_outputs(answers, table, recipe, features, y);
  std::string text = "prediction";
  for (const std::string& label : recipe.target.categories) text += "," + csv_field("p(" + label + ")");
  text += "\n";
  const std::string none = "NA" + std::string(recipe.target.categories.size(), ',');
  for (std::size_t i = 0; i < rows.size(); ++i)
    text += (!answers.has(i)                ? none
             : recipe.task == Task::regress ? number_line(recipe, y[i])
                                            : class_line(recipe, &y[i * width])) +
            "\n";
  return {text, answers.fault()};
}

}  // namespace

TablePredictions predict_table(const PredictTableOptions& options) {
  const TensorFile file(options.model);
  const TableRecipe recipe = recipe_of(file);
  const Table table = read_features(recipe, options);
  return recipe.in_double ? predictions<double>(file, recipe, table, options)
                          : predictions<float>(file, recipe, table, options);
}

}  // namespace gradus
