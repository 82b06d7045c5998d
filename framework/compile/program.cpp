#include "framework/compile/program.hpp"

#include <algorithm>

namespace gradus {

namespace {
std::size_t at(NodeId id) { return static_cast<std::size_t>(id); }
}  // namespace

std::vector<bool> live_nodes(const Program& program) {
  const Graph& graph = *program.graph;
  std::vector<bool> live(at(graph.size()), false);
  for (const NodeId id : program.outputs) live[at(id)] = true;
  for (const NodeId id : program.inputs) live[at(id)] = true;
  for (const auto& [variable, value] : program.updates) live[at(variable)] = live[at(value)] = true;
  for (NodeId id = graph.size() - 1; id >= 0; --id)
    if (live[at(id)])
      for (const NodeId input : graph[id].inputs) live[at(input)] = true;
  for (NodeId id = 0; id < graph.size(); ++id)
    if (graph[id].output() != nullptr && live[at(graph[id].inputs.front())]) live[at(id)] = true;
  return live;
}

Program rebuild(const Program& program, const RewriteRule& rule) {
  const Graph& from = *program.graph;
  Program to{std::make_shared<Graph>(), {}, {}, {}};
  const std::vector<bool> live = live_nodes(program);
  std::vector<NodeId> renamed(live.size(), -1);
  const auto moved = [&](NodeId id) { return renamed[at(id)]; };
  for (NodeId id = 0; id < from.size(); ++id) {
    if (!live[at(id)]) continue;
    const Node& node = from[id];
    std::vector<NodeId> inputs;
    inputs.reserve(node.inputs.size());
    for (const NodeId input : node.inputs) inputs.push_back(moved(input));
    NodeId replaced = -1;
    if (rule) {
      const Graph::Scope scope(*to.graph, node.where);
      replaced = rule(*to.graph, node, inputs);
    }
    if (replaced < 0) replaced = to.graph->append(node.content, std::move(inputs), node.shape, node.where);
    if (!node.label.empty()) to.graph->name(to.graph->expr(replaced), node.label);
    renamed[at(id)] = replaced;
  }
  for (const NodeId id : program.outputs) to.outputs.push_back(moved(id));
  for (const NodeId id : program.inputs) to.inputs.push_back(moved(id));
  for (const auto& [variable, value] : program.updates)
    to.updates.emplace_back(moved(variable), moved(value));
  return to;
}

Program drop_dead(Program program) {
  const std::vector<bool> live = live_nodes(program);
  if (std::ranges::find(live, false) == live.end()) return program;
  return rebuild(program);
}

KernelShapes kernel_shapes(const Graph& graph, NodeId id, const DimBindings& dims) {
  KernelShapes shapes{{}, {}, dims};
  std::vector<const Shape*> inputs;
  for (const NodeId input : graph[id].inputs) {
    shapes.inputs.push_back(graph[input].shape.resolve(dims));
    inputs.push_back(&graph[input].shape);
  }
  if (graph[id].traits().outputs == 1)
    shapes.outputs.push_back(graph[id].shape.resolve(dims));
  else
    for (const Shape& shape : graph[id].op()->output_shapes(InputShapes(inputs)))
      shapes.outputs.push_back(shape.resolve(dims));
  return shapes;
}

NodeId origin(const Graph& graph, NodeId id) {
  while (graph[id].traits().view) id = graph[id].inputs.front();
  return id;
}

}  // namespace gradus
