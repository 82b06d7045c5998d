#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "gradus/graph/graph.hpp"
#include "gradus/graph/op.hpp"

namespace GRADUS_PUBLIC gradus {

/// A computation: a graph of its own, the nodes to return, and the variables to set.
struct Program {
  std::shared_ptr<Graph> graph;                    ///< of this program alone
  std::vector<NodeId> outputs;                     ///< the nodes to return
  std::vector<std::pair<NodeId, NodeId>> updates;  ///< variable, value
  std::vector<NodeId> inputs;  ///< the inputs that outputs and updates depended on as written
};

/// The rule of a pass for one node, whose inputs are those in the new graph: the id of the node in `to` that
/// stands for it, or -1 to take it as it is.
using RewriteRule = std::function<NodeId(Graph& to, const Node& node)>;

/// Takes all nodes into a fresh graph, one by one through `rule`; also those that nothing needs any more, as
/// rules have put others in their place.
Program rebuild(Program&& program, const RewriteRule& rule);

/// Takes the nodes that inputs, outputs and updates need into a fresh graph.
Program drop_dead(Program&& program);

/// The same, of a graph that stays as it is.
Program copy_live(const Program& program);

/// The sizes for which a node's kernel is made.
KernelShapes kernel_shapes(const Graph& graph, NodeId id, const DimBindings& dims);

/// The node behind any views, whose buffer `id` shares.
NodeId origin(const Graph& graph, NodeId id);

}  // namespace gradus
