#pragma once

#include <string_view>

#include "gradus/ops/one_hot.hpp"
#include "gradus/ops/reduction.hpp"

/// Losses: scalars composed of ops.
namespace GRADUS_PUBLIC gradus {

namespace detail {
// Error unless both have the same shape or one of them is a bare number: broadcasting would fit what was not
// meant to meet, such as [B, 1] and [B].
void check_same_shape(std::string_view what, const Arg& prediction, const Arg& target);
}  // namespace detail

/// The mean of (prediction − target)² over all elements. The losses of a prediction and a target are Errors
/// for two different shapes.
Expr mse(Arg prediction, Arg target);

/// ½ Σ (prediction − target)² over all elements: its gradient is prediction − target.
Expr half_squared_error(Arg prediction, Arg target);

/// The mean over the rows of −Σ target · log softmax(logits), for logits [..., classes]. Targets are either
/// one-hot (or any probabilities) of the same shape, or class indices [...] held as numbers; a run throws
/// Error, naming the row, for an index out of range. Error for one class. The gradient keeps its digits
/// however confident the model is; a logit of +∞ for the right class has the loss 0.
Expr cross_entropy(Arg logits, Arg target);

/// −t log σ(x) − (1 − t) log(1 − σ(x)) elementwise, for logits x and targets t in [0, 1]. It is right to a
/// few units in the last place for targets of 0 and 1, and 0 for an infinite logit of the target's sign. So
/// is its gradient, σ(x) − t.
Expr logistic_loss(Arg logits, Arg target);
/// σ(x) − t, which keeps its digits where both are near 1.
Expr sigmoid_minus(Arg x, Arg target);

/// The mean of the logistic loss over all elements.
Expr binary_cross_entropy(Arg logits, Arg target);

}  // namespace gradus
