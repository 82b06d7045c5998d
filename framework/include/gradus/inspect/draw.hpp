#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "gradus/compile/options.hpp"

namespace GRADUS_PUBLIC gradus {

struct Plan;

/// How a picture is drawn.
struct DrawOptions {
  std::size_t most_boxes = 120;  ///< larger graphs are folded by scope, until there are no more
};

/// The part of a graph that `outputs` and `updates` need, as a Graphviz digraph. Shapes are on the edges;
/// there are clusters for the model, the loss, the gradients and the optimizer, and in them for the layers,
/// by the names of their variables. The loss is the first output, the model what the others need.
std::string graph_dot(std::span<const Expr> outputs, std::span<const Update> updates = {},
                      const DrawOptions& options = {});

/// A plan as a Graphviz digraph, in the same clusters: a box for each step with the ops fused into it and
/// the buffers of its results. With the share of the run's time that each step takes, the darker the more.
std::string plan_dot(const Plan& plan, std::span<const double> shares = {}, const DrawOptions& options = {});

}  // namespace gradus
