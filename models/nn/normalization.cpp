#include "gradus/nn/normalization.hpp"

#include "gradus/nn/initializers.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/optimizer_step.hpp"
#include "gradus/ops/power.hpp"
#include "gradus/ops/reduction.hpp"

namespace gradus {

namespace {

Dim features_of(const std::string& what, const Arg& operand, double epsilon) {
  const Expr& x = operand.expr;
  if (x.shape().rank() == 0 || !x.shape().back().is_constant())
    fail(what, {&operand, 1}, "the last axis must be the features");
  if (!(epsilon >= 0)) fail(what, {&operand, 1}, "epsilon must not be negative");
  return x.shape().back();
}

// The mean square. One that the type does not hold is NaN, for all to see: divided by infinity, everything
// would be 0 and its gradient, too, for ever.
Expr variance_of(const Expr& centred, const Axes& axes, bool keep = false) {
  const Expr variance = mean(square(centred), axes, keep);
  return variance + (variance - variance);
}

Expr scaled(const Expr& normal, const std::string& name, Dim features, bool scale, bool shift) {
  Graph& graph = normal.graph();
  Expr y = normal;
  if (scale) y = y * graph.parameter(name + "/gamma", {features}, constant(1));
  if (shift) y = y + graph.parameter(name + "/beta", {features});
  return named(y, name);
}

}  // namespace

Expr layer_norm(const Expr& x, const std::string& name, const LayerNormOptions& options, Location where) {
  const Arg operand(x, where);
  const std::string what = "layer_norm '" + name + "'";
  const Graph::Scope scope(graph_of(what, {&operand, 1}), where);
  const Dim features = features_of(what, operand, options.epsilon);
  const Expr centred = x - mean(x, {-1}, true);
  const Expr variance = variance_of(centred, {-1}, true);
  return scaled(centred / sqrt(variance + options.epsilon), name, features, options.scale, options.shift);
}

Expr batch_norm(const Expr& x, const std::string& name, Mode& mode, const BatchNormOptions& options,
                Location where) {
  const Arg operand(x, where);
  const std::string what = "batch_norm '" + name + "'";
  Graph& graph = graph_of(what, {&operand, 1});
  const Graph::Scope scope(graph, where);
  const Dim features = features_of(what, operand, options.epsilon);
  if (!(options.momentum >= 0 && options.momentum <= 1))
    fail(what, {&operand, 1}, "the momentum must be in [0, 1]");
  const Expr running_mean = graph.state(name + "/mean", {features});
  const Expr running_variance = graph.state(name + "/variance", {features}, constant(1));
  Expr centre = running_mean, variance = running_variance;
  if (mode.is_training()) {
    Axes rows = all_axes(x);
    rows.pop_back();
    centre = mean(x, rows);
    variance = variance_of(x - centre, rows);
    const auto towards = [&](const Expr& value) {
      return [&](const Expr& latest) { return moving_average(latest, value, options.momentum); };
    };
    mode.update(running_mean, towards(centre), where);
    mode.update(running_variance, towards(variance), where);
  }
  return scaled((x - centre) / sqrt(variance + options.epsilon), name, features, options.scale,
                options.shift);
}

}  // namespace gradus
