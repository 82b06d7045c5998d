#include "framework/compile/program.hpp"

#include <fmt/format.h>

#include <set>

#include "gradus/graph/leaf.hpp"

namespace gradus {

namespace {

std::vector<bool> live_nodes(const Program& program) {
  const Graph& graph = *program.graph;
  std::vector<bool> live(static_cast<std::size_t>(graph.size()), false);
  for (const NodeId id : program.outputs) live[static_cast<std::size_t>(id)] = true;
  for (const NodeId id : program.inputs) live[static_cast<std::size_t>(id)] = true;
  for (const auto& [variable, value] : program.updates)
    live[static_cast<std::size_t>(variable)] = live[static_cast<std::size_t>(value)] = true;
  for (NodeId id = graph.size() - 1; id >= 0; --id)
    if (live[static_cast<std::size_t>(id)])
      for (const NodeId input : graph[id].inputs) live[static_cast<std::size_t>(input)] = true;
  return live;
}

}  // namespace

Program rebuild(const Program& program, const RebuildRule& rule) {
  const Graph& from = *program.graph;
  Program to{std::make_shared<Graph>(), {}, {}, {}};
  const std::vector<bool> live = live_nodes(program);
  std::vector<NodeId> renamed(live.size(), -1);
  const auto moved = [&](NodeId id) { return renamed[static_cast<std::size_t>(id)]; };
  for (NodeId id = 0; id < from.size(); ++id) {
    if (!live[static_cast<std::size_t>(id)]) continue;
    const Node& node = from[id];
    std::vector<NodeId> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(moved(input));
    const Graph::Scope scope(*to.graph, node.where);
    NodeId replaced = rule ? rule(*to.graph, node, inputs) : -1;
    if (replaced < 0) replaced = to.graph->append(node.op, std::move(inputs), node.shape, node.where);
    if (!node.label.empty()) to.graph->name(to.graph->expr(replaced), node.label);
    renamed[static_cast<std::size_t>(id)] = replaced;
  }
  for (const NodeId id : program.outputs) to.outputs.push_back(moved(id));
  for (const NodeId id : program.inputs) to.inputs.push_back(moved(id));
  for (const auto& [variable, value] : program.updates)
    to.updates.emplace_back(moved(variable), moved(value));
  return to;
}

Program extract(std::span<const Expr> outputs, std::span<const Update> updates) {
  if (outputs.empty() && updates.empty()) throw Error("compile: there are no outputs and no updates");
  Graph& graph = outputs.empty() ? updates.front().variable.graph() : outputs.front().graph();
  // The user's graph, not owned.
  Program program{std::shared_ptr<Graph>(std::shared_ptr<void>(), &graph), {}, {}, {}};
  std::set<NodeId> updated;
  const auto checked = [&](const Expr& expr) {
    if (&expr.graph() != &graph)
      throw Error(fmt::format("compile: {} is of another graph than {}", expr.graph().describe(expr.id()),
                              outputs.empty() ? "the first update" : graph.describe(outputs.front().id())));
    return expr.id();
  };
  for (const Expr& output : outputs) program.outputs.push_back(checked(output));
  for (const auto& [variable, value] : updates) {
    const NodeId id = checked(variable);
    const std::string label = graph.describe(id);
    if (dynamic_cast<const Variable*>(graph[id].op.get()) == nullptr)
      throw Error(fmt::format("compile: {} is updated, but is neither parameter nor state", label));
    const Expr node = value.is_literal() ? graph.full(variable.shape(), value.literal()) : value;
    if (node.shape() != variable.shape())
      throw Error(fmt::format("compile: {} is updated with {}, which differs in shape", label,
                              graph.describe(checked(node))));
    if (!updated.insert(id).second) throw Error(fmt::format("compile: {} is updated twice", label));
    program.updates.emplace_back(id, checked(node));
  }
  Program live = rebuild(program, {});
  for (NodeId id = 0; id < live.graph->size(); ++id)
    if (dynamic_cast<const Input*>((*live.graph)[id].op.get()) != nullptr) live.inputs.push_back(id);
  return live;
}

}  // namespace gradus
