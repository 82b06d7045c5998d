#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/train/run.hpp"
#include "models/app/report/run_report.hpp"
#include "models/app/table/recipe.hpp"

namespace GRADUS_PUBLIC gradus {

/// How much the classes count in the loss.
enum class ClassWeights {
  none,     ///< each row as much as any other
  balanced  ///< each class as much as any other: see `balanced_weights`
};

/// A network that is to be trained on a person's own table.
struct TableOptions {
  std::string data;                                 ///< the table: CSV, NPY or NPZ
  std::string target;                               ///< the column to be predicted
  std::vector<std::string> features = {};           ///< empty: all columns but the target
  std::vector<std::string> text = {};               ///< number columns to be taken as categories
  std::vector<std::string> exclude = {};            ///< columns that are not to be features
  std::string weight = {};                          ///< a column of the rows' weights in the loss, or empty
  ClassWeights class_weights = ClassWeights::none;  ///< how much the classes count in the loss
  TableFormat format = {};                          ///< how a CSV file is written
  bool names_are_numbers = false;                   ///< whether the CSV's header may be of numbers alone
  Missing missing = Missing::error;                 ///< what becomes of rows that lack a feature
  bool strict = false;                      ///< whether a level that only validation rows have is an Error
  std::optional<Task> task = {};            ///< by default, text is classified and numbers are regressed
  std::vector<std::int64_t> hidden = {32};  ///< units of each hidden layer; none: a linear model
  std::string activation = "relu";          ///< of the hidden layers
  std::string normalization = {};           ///< "batch", "layer" or none
  double dropout = 0;                       ///< of hidden units, in [0, 1)
  bool standardize = true;                  ///< whether number columns are standardised
  bool in_double = false;                   ///< else in float
  double validation_split = 0.2;            ///< the part of the rows kept for validation
  bool in_order = false;                    ///< the last rows are kept for validation, not a random choice
  bool stratify = false;                    ///< of each class the same part is kept for validation
  std::int64_t epochs = 100;                ///< passes over the rows
  std::int64_t batch = 32;                  ///< rows a step
  int threads = 1;                          ///< of a step
  bool reproducible = false;                ///< the same bits everywhere
  Optimizer optimizer = adam();             ///< how it learns
  std::int64_t patience = 0;  ///< stops when val_loss has not improved for so many epochs; 0: never
  std::uint64_t seed = 1;     ///< of split, starting weights and order
  TrainingFiles files = {};   ///< what is left on the disk
  bool pictures = false;      ///< the report is to hold pictures and the graph
  bool live = false;          ///< progress lines may be overwritten
  std::function<void(std::string_view)> print;  ///< where text goes
  /// How a warning is spelled to whom it is printed; by default its text alone. See OptionError.
  std::function<std::string(const OptionError&)> spell = {};
};

/// Reads the table, prints how it read each column and what looks odd, splits, encodes and standardises it,
/// trains, reports, and saves the model. Error naming file, place, column and remedy for what cannot be
/// trained on, numbers that the precision does not hold among it; nothing is then written.
///
/// Weights multiply the loss of a row, in validation, too, before the mean over the rows is taken; they are
/// not scaled to a mean of 1. Metrics, the figures of quality and predictions know none. Balanced class
/// weights follow from the rows of training, and multiply those of a column. Error for a weight that is
/// missing, negative or no number, naming its row, and for weights of training that are all 0.
RunReport fit_table(const TableOptions& options);

}  // namespace gradus
