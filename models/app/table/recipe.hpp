#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/data/table.hpp"
#include "gradus/data/tensor_file.hpp"
#include "gradus/train/dataset.hpp"

namespace GRADUS_PUBLIC gradus {

/// How a column of a table becomes numbers: standardised, or one number for each category.
struct ColumnRecipe {
  std::string name;                          ///< of the column
  double mean = 0;                           ///< of a number column, over the rows of training
  double deviation = 1;                      ///< what a number is divided by
  std::vector<std::string> categories = {};  ///< of a text column, sorted; empty for numbers

  /// Whether it is not one of categories.
  bool is_number() const { return categories.empty(); }
  /// How many numbers it becomes.
  std::int64_t width() const;
};

/// Whether classes or numbers are predicted.
enum class Task { classify, regress };

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

  /// How many numbers a row becomes.
  std::int64_t inputs() const;
  /// How many numbers the network answers with.
  std::int64_t outputs() const { return target.width(); }
  /// The recipe as JSON, to be stored in a model file and read by `recipe_of`.
  std::string json() const;
};

/// "hidden1" and so on, from layer 0.
std::string hidden_name(std::size_t layer);

/// The recipe in a saved model's metadata. Error, naming the file, when there is none, it makes no sense, or
/// the file's tensors do not have its sizes: so nothing larger than the file is made from it.
TableRecipe recipe_of(const TensorFile& file);

/// The features of these rows, a row of `inputs()` numbers each. Error naming file, line and column for a
/// category that the recipe does not know.
std::vector<double> encode_features(const Table& table, const TableRecipe& recipe, const Rows& rows);
/// The targets: one number a row, standardised, or one-hot classes.
std::vector<double> encode_target(const Table& table, const TableRecipe& recipe, const Rows& rows);

}  // namespace gradus
