#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gradus/nn/mode.hpp"
#include "gradus/optim/adam.hpp"
#include "gradus/train/metrics.hpp"

namespace GRADUS_PUBLIC gradus {

/// A tensor that a model is fed.
struct Feed {
  std::string name;  ///< of the graph's input
  Shape shape;       ///< with B for the batch
};

/// A model and how it is trained.
struct ModelDefinition {
  std::vector<Feed> inputs;  ///< in the order of the data
  Feed target;               ///< what the loss compares with
  /// From inputs to predictions. Called twice, for training and for inference: see Mode.
  std::function<Expr(const std::vector<Expr>& inputs, Mode& mode)> network;
  /// A scalar; a mean over the batch, if epochs of unequal batches are to be told rightly.
  std::function<Expr(Arg prediction, Arg target)> loss;
  std::vector<Metric> metrics = {};
  Optimizer optimizer = adam();
};

/// One of a model's two graphs.
struct ModelGraph {
  Graph graph;                  ///< where all the rest lies
  std::vector<Expr> inputs;     ///< what is fed
  Expr target;                  ///< fed, too
  Expr prediction;              ///< the network's answer
  Expr loss;                    ///< a scalar
  std::vector<Expr> scores;     ///< the loss, then the metrics
  std::vector<Update> updates;  ///< none for inference
};

}  // namespace gradus
