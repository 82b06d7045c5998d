#include "gradus/ops/losses.hpp"

#include "gradus/ops/activation.hpp"
#include "gradus/ops/power.hpp"
#include "gradus/ops/softmax.hpp"

namespace gradus {

Expr mse(Arg prediction, Arg target) {
  const Graph::Scope scope(prediction.expr.graph(), prediction.where);
  return mean(square(prediction.expr - target.expr));
}

Expr half_squared_error(Arg prediction, Arg target) {
  const Graph::Scope scope(prediction.expr.graph(), prediction.where);
  return 0.5 * sum(square(prediction.expr - target.expr));
}

Expr cross_entropy(Arg logits, Arg target) {
  const Graph::Scope scope(logits.expr.graph(), logits.where);
  const Shape& shape = logits.expr.shape();
  if (shape.rank() == 0 || !shape.back().is_constant())
    throw Error("cross_entropy at " + to_string(logits.where) +
                ": the last axis must be the classes: " + logits.expr.graph().describe(logits.expr.id()));
  Expr weights = target.expr;
  if (weights.is_node() && weights.shape() != shape) {
    Shape rows = weights.shape();
    rows.push_back(shape.back());
    if (rows != shape)
      throw Error("cross_entropy at " + to_string(logits.where) +
                  ": targets must have the logits' shape (one-hot) or lack the last axis (class indices): " +
                  logits.expr.graph().describe(logits.expr.id()) + ", " +
                  weights.graph().describe(weights.id()));
    weights = one_hot(weights, shape.back().constant());
  }
  const Expr per_row = sum(weights * log_softmax(logits.expr), {-1});
  return -mean(per_row);
}

Expr binary_cross_entropy(Arg logits, Arg target) {
  const Graph::Scope scope(logits.expr.graph(), logits.where);
  return mean(softplus(logits.expr) - logits.expr * target.expr);
}

}  // namespace gradus
