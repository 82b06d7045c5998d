#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gradus/data/table.hpp"
#include "gradus/data/tensor_file.hpp"
#include "gradus/train/dataset.hpp"

namespace GRADUS_PUBLIC gradus {

/// How a column of a table becomes numbers: standardised, or one number for each category.
struct ColumnRecipe {
  std::string name;      ///< of the column
  double mean = 0;       ///< of a number column, over the rows of training
  double deviation = 1;  ///< what a number is divided by
  /// The levels of a text column, sorted; empty for numbers. "" is that of rows without a value, when it is a
  /// level.
  std::vector<std::string> categories = {};
  bool is_date = false;             ///< whether the numbers are days since 1970-01-01
  bool marks_missing = false;       ///< whether a second number says that a number is missing
  std::optional<double> fill = {};  ///< what stands for a missing number
  std::string fill_category = {};   ///< what stands for missing text; empty: "", or none of the categories

  /// Whether it is not one of categories.
  bool is_number() const { return categories.empty(); }
  /// How many numbers it becomes.
  std::int64_t width() const;
  /// A number of the column, standardised.
  double standardized(double value) const;
  /// The number of the column that this is, standardised.
  double original(double standardized) const;
};

/// Whether classes or numbers are predicted.
enum class Task { classify, regress };

/// The ways to treat rows that lack a value.
enum class Missing {
  error,  ///< Error for the first
  drop,   ///< the row is left out
  mean,   ///< a number is the mean of the others, a text the most frequent one
  level   ///< it is a level of its own; a number is the mean, and another number says that it is missing
};

/// How a table's file is written, as far as its reader is told.
struct TableFormat {
  char delimiter = ',';              ///< between columns
  bool header = true;                ///< whether the first line names the columns
  NumberStyle style = {};            ///< of the numbers
  std::vector<std::string> na = {};  ///< words for missing values
};

/// All that a network on a table is beside its weights: what columns mean, sizes, activation. A saved model
/// holds it, and is enough on its own.
struct TableRecipe {
  Task task = Task::classify;          ///< what is predicted
  std::vector<ColumnRecipe> features;  ///< in the order of the inputs
  ColumnRecipe target;                 ///< its categories are the classes
  std::vector<std::int64_t> hidden;    ///< units of each hidden layer
  std::string activation = "relu";     ///< of the hidden layers
  std::string normalization;           ///< batch, layer, or empty
  double dropout = 0;                  ///< of hidden units
  bool in_double = false;              ///< else in float
  Missing missing = Missing::error;    ///< what becomes of rows without a value
  TableFormat format = {};             ///< of the table that it was trained on

  /// How many numbers a row becomes.
  std::int64_t inputs() const;
  /// How many numbers the network answers with.
  std::int64_t outputs() const { return target.width(); }
  /// The recipe as JSON, to be stored in a model file and read by `recipe_of`.
  std::string json() const;
};

/// "hidden1" and so on, from layer 0.
std::string hidden_name(std::size_t layer);
/// "error", "drop", "mean", "level".
std::string_view name_of(Missing missing);

/// The recipe in a saved model's metadata; those of earlier versions, too. Error, naming the file, when there
/// is none, it makes no sense, or the file's tensors do not have its sizes: so nothing larger than the file
/// is made from it.
TableRecipe recipe_of(const TensorFile& file);

/// A label that the rows of training do not have.
struct UnknownLevel {
  std::string column;      ///< where it is
  std::string label;       ///< what it is
  std::size_t row;         ///< the first with it
  std::size_t rows;        ///< how many have it
  std::size_t others = 0;  ///< how many other levels of the column are unknown, in `first_of_columns`
};
/// Those of the features, and of the target when it is asked for.
std::vector<UnknownLevel> unknown_levels(const Table& table, const TableRecipe& recipe, const Rows& rows,
                                         bool with_target);
/// The first of each column, for messages, which shall not grow with the table.
std::vector<UnknownLevel> first_of_columns(const std::vector<UnknownLevel>& levels);
/// " (3 rows, and 2 other levels)", or what of it there is to say.
std::string others_text(const UnknownLevel& level);
/// The Error that says file, line, column and the levels there are.
OptionError unknown_level_error(const Table& table, const TableRecipe& recipe, const UnknownLevel& unknown);

/// The features of these rows, a row of `inputs()` numbers each. A level that the recipe does not know is
/// none of those it knows: all their numbers are 0. A missing number that the recipe has nothing for is NaN.
std::vector<double> encode_features(const Table& table, const TableRecipe& recipe, const Rows& rows);
/// The targets: one number a row, standardised, or one-hot classes.
std::vector<double> encode_target(const Table& table, const TableRecipe& recipe, const Rows& rows);

}  // namespace gradus
