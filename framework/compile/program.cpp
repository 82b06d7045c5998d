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

// A program in the making, of the nodes of another.
class Copy {
 public:
  explicit Copy(const Program& from) : renamed_(static_cast<std::size_t>(from.graph->size()), -1) {}

  void add(NodeId id, Node node, const RewriteRule& rule = {}) {
    for (NodeId& input : node.inputs) input = renamed_[input];
    const Graph::Scope scope(graph(), node.where);
    NodeId replaced = rule ? rule(graph(), node) : -1;
    if (replaced < 0)
      replaced =
          graph().append(std::move(node.content), std::move(node.inputs), std::move(node.shape), node.where);
    if (!node.label.empty()) graph().name(graph().expr(replaced), std::move(node.label));
    renamed_[id] = replaced;
  }

  Program finish(const Program& from) && {
    for (const NodeId id : from.outputs) to_.outputs.push_back(renamed_[id]);
    for (const NodeId id : from.inputs) to_.inputs.push_back(renamed_[id]);
    for (const auto& [variable, value] : from.updates)
      to_.updates.emplace_back(renamed_[variable], renamed_[value]);
    return std::move(to_);
  }

 private:
  Graph& graph() { return *to_.graph; }

  Program to_{std::make_shared<Graph>(), {}, {}, {}};
  ById<NodeId> renamed_;
};

}  // namespace

Program rebuild(Program&& program, const RewriteRule& rule) {
  Copy copy(program);
  NodeId id = 0;
  for (Node& node : std::move(*program.graph).release()) copy.add(id++, std::move(node), rule);
  return std::move(copy).finish(program);
}

Program drop_dead(Program&& program) {
  const ById<bool> live = live_nodes(program);
  Copy copy(program);
  NodeId id = 0;
  for (Node& node : std::move(*program.graph).release()) {
    if (live[id]) copy.add(id, std::move(node));
    ++id;
  }
  return std::move(copy).finish(program);
}

Program copy_live(const Program& program) {
  const ById<bool> live = live_nodes(program);
  Copy copy(program);
  for (NodeId id = 0; id < program.graph->size(); ++id)
    if (live[id]) copy.add(id, (*program.graph)[id]);
  return std::move(copy).finish(program);
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
