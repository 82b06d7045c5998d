#include "gradus/nn/normalization.hpp"

#include <cmath>

#include "gradus/nn/initializers.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/extremum.hpp"
#include "gradus/ops/optimizer_step.hpp"
#include "gradus/ops/power.hpp"
#include "gradus/ops/reduction.hpp"
#include "gradus/ops/view.hpp"

namespace gradus {

namespace {

Dim features_of(const std::string& what, const Arg& operand, double epsilon) {
  const Expr& x = operand.expr;
  if (x.shape().rank() == 0 || !x.shape().back().is_constant())
    fail(what, {&operand, 1}, "the last axis must be the features");
  if (!(epsilon >= 0)) fail(what, {&operand, 1}, "epsilon must not be negative");
  return x.shape().back();
}

Expr scaled(const Expr& normal, const std::string& name, Dim features, bool scale, bool shift) {
  Graph& graph = normal.graph();
  Expr y = normal;
  if (scale) y = y * graph.parameter(name + "/gamma", {features}, constant(1));
  if (shift) y = y + graph.parameter(name + "/beta", {features});
  return named(y, name);
}

// x is 4 · (near + size · (rest + unit)) where the mean of `unit` over some axes is 0.
struct Centred {
  Expr near, size, rest, unit, variance;  // the variance of `unit`
};

// Numbers of any size have their digits: a quarter of x does not overflow when a mean is taken off, nor does
// a 2⁻³²th when it is added up. What that mean was rounded by, or lost, is taken off in turn, when all is
// divided by the largest, so that squares neither overflow nor vanish. The result depends on neither `near`
// nor the size, so that neither has a gradient.
Centred centred(const Expr& x, const Axes& axes, double epsilon) {
  const Expr near = stop_gradient(mean(0x1p-32 * x, axes, true) * 0x1p30), away = 0.25 * x - near;
  const Expr size = stop_gradient(maximum(max(abs(away), axes, true), std::sqrt(epsilon) / 4));
  const Expr raw = away / size, rest = mean(raw, axes, true), unit = raw - rest;
  return {near, size, rest, unit, mean(square(unit), axes, true)};
}

Expr over_deviation(const Centred& x, double epsilon) {
  return x.unit / sqrt(x.variance + square(std::sqrt(epsilon) / 4 / x.size));
}

}  // namespace

Expr layer_norm(const Expr& x, const std::string& name, const LayerNormOptions& options, Location where) {
  const Arg operand(x, where);
  const std::string what = "layer_norm '" + name + "'";
  const Graph::Scope scope(graph_of(what, {&operand, 1}), where);
  const Dim features = features_of(what, operand, options.epsilon);
  const Expr normal = over_deviation(centred(x, {-1}, options.epsilon), options.epsilon);
  return scaled(normal, name, features, options.scale, options.shift);
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
  Expr normal;
  if (mode.is_training()) {
    Axes rows = all_axes(x);
    rows.pop_back();
    const Centred batch = centred(x, rows, options.epsilon);
    normal = over_deviation(batch, options.epsilon);
    const Expr centre = reshape(4 * (batch.near + batch.size * batch.rest), {features});
    const Expr variance = reshape(square(4 * batch.size) * batch.variance, {features});
    mode.update(running_mean, moving_average(running_mean, centre, options.momentum));
    mode.update(running_variance, moving_average(running_variance, variance, options.momentum));
  } else {
    normal = (x - running_mean) / sqrt(running_variance + options.epsilon);
  }
  return scaled(normal, name, features, options.scale, options.shift);
}

}  // namespace gradus
