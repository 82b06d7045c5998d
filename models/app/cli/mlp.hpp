#pragma once

#include <string>

#include "models/app/table/fit_table.hpp"
#include "models/app/table/predict_table.hpp"
#include "models/tutorials/tutorial.hpp"

/// The commands `train mlp` and `predict`.
namespace gradus::cli {

/// The options of `gradus train mlp`, in addition to those of `gradus train`.
struct MlpOptions {
  TableOptions table;
  std::string optimizer = "adam";
  double momentum = 0;
  double weight_decay = 0;
  double clip_norm = 0;
  double clip_value = 0;
};
int train_mlp(MlpOptions options, TrainOptions shared, const std::string& out);

struct PredictOptions {
  PredictTableOptions table;
  std::string output;  ///< or empty: the standard output
};
int predict(PredictOptions options);

}  // namespace gradus::cli
