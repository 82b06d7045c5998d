#pragma once

#include <string>

#include "gradus/train/model_functions.hpp"

namespace GRADUS_PUBLIC gradus {

/// A scalar of predictions and targets, a mean over the batch, so that means over batches can be weighted by
/// their sizes.
struct Metric {
  std::string name;       ///< in the history
  PredictionFunction of;  ///< the graph of it
};

/// How often the target's class has the largest prediction (logits or probabilities [B, classes]). One that
/// another class has, too, is wrong: a model that cannot tell classes apart is never right. Targets are
/// one-hot, or class indices [B]. Error for predictions of one class.
Metric accuracy();
/// How often the target's class is among the k largest predictions; an equal one of another class comes
/// before its own: "top_5_accuracy".
Metric top_k_accuracy(int k = 5, Location where = Location::current());
/// How often prediction > threshold says what the target (0 or 1) is: 0.5 for probabilities, 0 for logits.
/// A prediction of NaN is wrong. Error for a threshold of NaN.
Metric binary_accuracy(double threshold = 0.5, Location where = Location::current());
/// The mean of |prediction − target|.
Metric mean_absolute_error();
/// The mean of (prediction − target)².
Metric mean_squared_error();

}  // namespace gradus
