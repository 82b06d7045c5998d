#include "framework/compile/program.hpp"

#include <algorithm>

#include "framework/graph/by_id.hpp"

namespace gradus {

namespace {
// Tells for each node whether inputs, outputs and updates need it. One needed output of an op with several
// keeps the others.
ById<bool> live_nodes(const Program& program) {
  const Graph& graph = *program.graph;
  ById<bool> live(graph.size());
  for (const NodeId id : program.outputs) live[id] = true;
  for (const NodeId id : program.inputs) live[id] = true;
  for (const auto& [variable, value] : program.updates) live[variable] = live[value] = true;
  for (NodeId id = graph.size() - 1; id >= 0; --id)
    if (live[id])
      for (const NodeId input : graph[id].inputs) live[input] = true;
  for (NodeId id = 0; id < graph.size(); ++id)
    if (graph[id].output() != nullptr && live[graph[id].source()]) live[id] = true;
  return live;
}
}  // namespace

Program rebuild(const Program& program, const RewriteRule& rule) {
  const Graph& from = *program.graph;
  Program to{std::make_shared<Graph>(), {}, {}, {}};
  const ById<bool> live = live_nodes(program);
  ById<NodeId> renamed(live.size(), -1);
  for (NodeId id = 0; id < from.size(); ++id) {
    if (!live[id]) continue;
    const Node& node = from[id];
    std::vector<NodeId> inputs;
    inputs.reserve(node.inputs.size());
    for (const NodeId input : node.inputs) inputs.push_back(renamed[input]);
    const Graph::Scope scope(*to.graph, node.where);
    NodeId replaced = rule ? rule(*to.graph, node, inputs) : -1;
    if (replaced < 0) replaced = to.graph->append(node.content, std::move(inputs), node.shape, node.where);
    if (!node.label.empty()) to.graph->name(to.graph->expr(replaced), node.label);
    renamed[id] = replaced;
  }
  for (const NodeId id : program.outputs) to.outputs.push_back(renamed[id]);
  for (const NodeId id : program.inputs) to.inputs.push_back(renamed[id]);
  for (const auto& [variable, value] : program.updates)
    to.updates.emplace_back(renamed[variable], renamed[value]);
  return to;
}

Program drop_dead(Program program) {
  const ById<bool> live = live_nodes(program);
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
  const bool is_value = !graph[id].tuple;
  for (const Shape& shape :
       is_value ? std::vector{graph[id].shape} : graph[id].op()->output_shapes(InputShapes(inputs)))
    shapes.outputs.push_back(shape.resolve(dims));
  return shapes;
}

NodeId origin(const Graph& graph, NodeId id) {
  while (graph[id].view) id = graph[id].source();
  return id;
}

}  // namespace gradus
