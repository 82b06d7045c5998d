#pragma once

#include "gradus/ops/one_hot.hpp"
#include "gradus/ops/reduction.hpp"

/// Losses: scalars composed of ops.
namespace GRADUS_PUBLIC gradus {

/// The mean of (prediction − target)² over all elements.
Expr mse(Arg prediction, Arg target);

/// ½ Σ (prediction − target)² over all elements: its gradient is prediction − target.
Expr half_squared_error(Arg prediction, Arg target);

/// The mean over the rows of −Σ target · log softmax(logits), for logits [..., classes] and targets that are
/// either one-hot (or any probabilities) of the same shape, or class indices [...] held as numbers; a run
/// throws Error, naming the row, for an index out of range.
Expr cross_entropy(Arg logits, Arg target);

/// The mean of −t log σ(x) − (1 − t) log(1 − σ(x)) over all elements, for logits x and targets t in [0, 1].
Expr binary_cross_entropy(Arg logits, Arg target);

}  // namespace gradus
