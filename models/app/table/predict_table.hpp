#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// How a saved model is applied to a table.
struct PredictTableOptions {
  std::string model;                   ///< a file that fit_table wrote
  std::string data;                    ///< the table; columns are found by their names
  std::optional<char> delimiter = {};  ///< between fields; by default, that of the table of training
  std::optional<char> decimal = {};    ///< the sign before a fraction; by default, that of training
  std::optional<char> thousands = {};  ///< the sign between thousands; by default, that of training
  std::vector<std::string> na = {};    ///< words for missing values, in addition to those
  bool strict = false;                 ///< whether an unknown level or a row without an answer is an Error
  std::function<void(std::string_view)> print;  ///< where notes go; may be empty
};

/// What a model says to the rows of a table.
struct TablePredictions {
  std::string text;   ///< CSV: classes with their probabilities, or numbers
  std::string fault;  ///< the first row that has NA because of a number too large; empty if there is none
};

/// Predictions for a table. A level that the training did not have is taken for none of those it had. A row
/// that lacks a value that the recipe has nothing for, or whose numbers or answer the network's type does not
/// hold, is answered with NA, as is one of empty fields that others follow. Lines that are passed over get no
/// answer, and are told by a note. Error as of fit_table.
TablePredictions predict_table(const PredictTableOptions& options);

}  // namespace gradus
