#include "gradus/ops/losses.hpp"

#include "gradus/graph/graph.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/power.hpp"
#include "gradus/ops/softmax.hpp"
#include "gradus/ops/where.hpp"

namespace gradus {

namespace {
// All nodes of a loss carry the place of its call.
Graph::Scope scope_of(std::string_view loss, std::initializer_list<Arg> operands) {
  return {graph_of(loss, {operands.begin(), operands.size()}), operands.begin()->where};
}
}  // namespace

Expr mse(Arg prediction, Arg target) {
  const Graph::Scope scope = scope_of("mse", {prediction, target});
  return mean(square(prediction.expr - target.expr));
}

Expr half_squared_error(Arg prediction, Arg target) {
  const Graph::Scope scope = scope_of("half_squared_error", {prediction, target});
  return 0.5 * sum(square(prediction.expr - target.expr));
}

Expr cross_entropy(Arg logits, Arg target) {
  const Arg operands[] = {logits, target};
  if (!logits.expr.is_node()) fail("cross_entropy", operands, "the logits must be a node of a graph");
  const Graph::Scope scope = scope_of("cross_entropy", {logits, target});
  const Shape& shape = logits.expr.shape();
  if (shape.rank() == 0 || !shape.back().is_constant())
    fail("cross_entropy", operands, "the last axis of the logits must be the classes");
  const Expr& weights = target.expr;
  if (!weights.is_node() || weights.shape() == shape)
    return -mean(sum(weights * log_softmax(logits.expr), {-1}));
  Shape rows = weights.shape();
  rows.push_back(shape.back());
  if (rows != shape)
    fail("cross_entropy", operands,
         "targets must have the logits' shape (one-hot) or lack the last axis (class indices)");
  // Chosen, not multiplied: a class that a logit of -∞ rules out must not add 0 · -∞ to the others' loss.
  const Expr label = one_hot(weights, shape.back().constant());
  return -mean(sum(where(label, log_softmax(logits.expr), 0), {-1}));
}

Expr binary_cross_entropy(Arg logits, Arg target) {
  const Graph::Scope scope = scope_of("binary_cross_entropy", {logits, target});
  return mean(softplus(logits.expr) - logits.expr * target.expr);
}

}  // namespace gradus
