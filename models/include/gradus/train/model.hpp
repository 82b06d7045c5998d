#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gradus/base/location.hpp"
#include "gradus/optim/adam.hpp"
#include "gradus/train/metrics.hpp"
#include "gradus/train/model_functions.hpp"

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
  NetworkFunction network;
  /// A scalar; a mean over the batch, if epochs of unequal batches are to be told rightly. Or a number for
  /// each sample, [B], whose mean is then the loss: samples can be weighted only so.
  PredictionFunction loss;
  std::vector<Metric> metrics = {};
  Optimizer optimizer = adam();
  /// A name, for weights of samples: an input [B], which the data have after the targets. Each sample's loss
  /// is multiplied by its weight before the mean is taken (as Keras does: the sum of the weights divides
  /// nothing). A weight of 0 takes the sample out, whatever its inputs and its target are, if they are no
  /// numbers, or no class: in a step of training another sample of the batch stands in its place, for layers
  /// such as batch_norm and for metrics, too; zeros do where all have the weight 0. Metrics of `evaluate` are
  /// means over the others alone.
  std::string sample_weights = {};
  /// A factor for each class, of the samples whose target it is, finite and not negative; see
  /// `balanced_weights`. The target is a class index [B], one-hot or in shares [B, classes], or, of two
  /// classes, 0 or 1 [B, 1]: Error otherwise, and for a row of the data that is of several classes or of
  /// none. In training, the inputs of samples whose class has the factor 0 do not matter.
  std::vector<double> class_weights = {};
  /// Where it is written, for errors, where the Trainer's own line is not known.
  Location where = Location::current();
};

/// Weights with which all classes count alike, whatever their numbers of samples: n / (classes · nₖ). Error
/// for a class without samples.
std::vector<double> balanced_weights(std::span<const std::int64_t> counts,
                                     Location where = Location::current());

/// One of a model's two graphs.
struct ModelGraph {
  Graph graph;                  ///< where all the rest lies
  std::vector<Expr> inputs;     ///< what is fed
  Expr target;                  ///< fed, too
  Expr weights;                 ///< of samples, fed after the target; null without
  Expr prediction;              ///< the network's answer
  Expr loss;                    ///< a scalar
  std::vector<Expr> scores;     ///< the loss, then the metrics
  std::vector<Update> updates;  ///< none for inference

  /// All that is fed, in the order of the data.
  std::vector<Expr> feeds() const {
    std::vector<Expr> all = inputs;
    all.push_back(target);
    if (!weights.is_null()) all.push_back(weights);
    return all;
  }
};

}  // namespace gradus
