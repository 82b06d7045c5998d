#pragma once

#include <functional>
#include <string>

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// A scalar of predictions and targets, a mean over the batch, so that means over batches can be weighted by
/// their sizes.
struct Metric {
  std::string name;                                    ///< in the history
  std::function<Expr(Arg prediction, Arg target)> of;  ///< the graph of it
};

/// How often the target's class has the largest prediction (logits or probabilities [B, classes]); a tie for
/// the largest counts as right. Targets are one-hot, or class indices [B].
Metric accuracy();
/// How often fewer than k classes have a larger prediction than the target's: "top_5_accuracy".
Metric top_k_accuracy(int k = 5);
/// How often prediction > threshold says what the target (0 or 1) is: 0.5 for probabilities, 0 for logits.
Metric binary_accuracy(double threshold = 0.5);
/// The mean of |prediction − target|.
Metric mean_absolute_error();
/// The mean of (prediction − target)².
Metric mean_squared_error();

}  // namespace gradus
