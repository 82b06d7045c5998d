#include "framework/compile/extract.hpp"

#include <fmt/format.h>

#include <map>

namespace gradus {

Program extract(std::span<const Expr> outputs, std::span<const Update> updates) {
  if (outputs.empty() && updates.empty()) throw Error("compile: there are no outputs and no updates");
  // The line of the call is not known here.
  const auto graph_with = [](const Expr& expr) -> Graph& {
    const Arg operand(expr, Location());
    return graph_of("compile", {&operand, 1});
  };
  Graph& graph = graph_with(outputs.empty() ? updates.front().variable : outputs.front());
  // The user's graph, not owned.
  Program program{std::shared_ptr<Graph>(std::shared_ptr<void>(), &graph), {}, {}, {}};
  std::map<NodeId, NodeId> updated;  // and by what
  const auto described = [](const Expr& expr) {
    return fmt::format("{} at {}", expr.graph().describe(expr.id()),
                       to_string(expr.graph()[expr.id()].where));
  };
  const auto checked = [&](const Expr& expr) {
    if (&graph_with(expr) != &graph)
      throw Error(fmt::format("compile: {} is of another graph than {}", described(expr),
                              described(outputs.empty() ? updates.front().variable : outputs.front())));
    return expr.id();
  };
  for (const Expr& output : outputs) program.outputs.push_back(checked(output));
  for (const auto& [variable, value] : updates) {
    const NodeId id = checked(variable);
    if (graph[id].variable() == nullptr)
      throw Error(
          fmt::format("compile: {} is updated, but is neither parameter nor state", described(variable)));
    const Expr node = value.is_literal() ? graph.full(variable.shape(), value.literal()) : value;
    const NodeId next = checked(node);
    if (node.shape() != variable.shape())
      throw Error(fmt::format("compile: {} is updated with {}, which differs in shape", described(variable),
                              described(node)));
    const auto [before, is_new] = updated.emplace(id, next);
    if (!is_new)
      throw Error(fmt::format(
          "compile: {} is updated twice, with the values made at {} and at {}; a step takes one value for "
          "each variable, so leave one of them out, or make one from both",
          graph.describe(id), to_string(graph[before->second].where), to_string(graph[next].where)));
    program.updates.emplace_back(id, next);
  }
  Program live = copy_live(program);
  for (NodeId id = 0; id < live.graph->size(); ++id)
    if ((*live.graph)[id].input() != nullptr) live.inputs.push_back(id);
  return live;
}

}  // namespace gradus
