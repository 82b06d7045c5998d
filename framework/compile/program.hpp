#pragma once

#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "gradus/compile/options.hpp"
#include "gradus/graph/graph.hpp"

namespace GRADUS_PUBLIC gradus {

/// What is to be computed: a graph of its own, the nodes to return, and the variables to set.
struct Program {
  std::shared_ptr<Graph> graph;                    ///< of this program alone
  std::vector<NodeId> outputs;                     ///< the nodes to return
  std::vector<std::pair<NodeId, NodeId>> updates;  ///< variable, value
  std::vector<NodeId> inputs;  ///< the inputs that outputs and updates depended on as written
};

/// What a pass does to one node: given the node and its inputs in the new graph, the id of the node in `to`
/// that stands for it, or -1 to copy it as it is.
using RebuildRule = std::function<NodeId(Graph& to, const Node& node, const std::vector<NodeId>& inputs)>;

/// Copies the inputs and what outputs and updates need into a fresh graph, node by node through `rule`:
/// nothing is mutated, and dead nodes stay behind.
Program rebuild(const Program& from, const RebuildRule& rule);

/// The live part of a user's graph. Error when outputs and updates are of different graphs, when an update's
/// variable is not one, differs in shape from its value, or is updated twice.
Program extract(std::span<const Expr> outputs, std::span<const Update> updates);

/// Numbers for batch-dependent constants, constant folding, identities, views of views, then dead code.
Program optimize(const Program& program, std::int64_t batch);

}  // namespace gradus
