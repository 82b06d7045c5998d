#include "gradus/inspect/draw.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "framework/compile/extract.hpp"
#include "framework/compile/plan.hpp"
#include "framework/inspect/boxes.hpp"
#include "framework/inspect/names.hpp"

namespace gradus {

namespace {

// Told apart by their shapes as well as by colour.
std::string leaf_style(const Node& node) {
  if (node.input() != nullptr) return "shape=invhouse, fillcolor=\"#56B4E9\"";
  const auto* variable = node.variable();
  if (variable == nullptr) return "shape=box, fillcolor=\"#EEEEEE\"";
  return variable->trainable ? "shape=box, fillcolor=\"#F0E442\""
                             : "shape=box, style=\"filled,dashed\", fillcolor=\"#F7F3C0\"";
}

// Six digits are enough to recognise a number.
std::string number_text(const Node& node) {
  const Full& full = *node.full();
  return full.is_dim ? to_string(full.dim) : fmt::format("{:.6g}", full.value);
}

std::string shape_text(const std::string& shape) { return shape == "[]" ? "scalar" : shape; }

// "mul 0.5", with the numbers that the op reads, and what it does with a variable.
std::string op_label(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  std::string label(node.name());
  for (const NodeId input : node.inputs)
    if (graph[input].is_number()) label += " " + number_text(graph[input]);
  return node.label.empty() ? label : fmt::format("{}\n'{}'", label, node.label);
}

std::string place_text(const Node& node) { return node.where.known() ? to_string(node.where) : ""; }

Box box_of(const Program& program, NodeId id, const NodePlace& place) {
  const Graph& graph = *program.graph;
  const Node& node = graph[id];
  Box box{place, "", "", "", "", place_text(node), node.is_leaf()};
  if (box.leaf) {
    box.label = fmt::format("{}\n{}", short_name(graph, id), shape_text(to_string(node.shape)));
    box.name = short_name(graph, id);
    box.style = leaf_style(node);
    return box;
  }
  box.label = op_label(graph, id);
  box.number = node.label.empty() ? fmt::format("%{}", id) : "";
  box.name = node.label.empty() ? fmt::format("{} %{}", node.name(), id) : node.label;
  if (place.gradient_of >= 0) {
    box.label += fmt::format("\n∂loss / ∂{}", short_name(graph, place.gradient_of));
    box.style = "shape=box, penwidth=2.5";
  }
  return box;
}

}  // namespace

std::string graph_dot(std::span<const Expr> outputs, std::span<const Update> updates,
                      const DrawOptions& options) {
  const Program program = extract(outputs, updates);
  const Graph& graph = *program.graph;
  const std::vector<NodePlace> places = places_of(program);
  std::vector<Box> boxes;
  std::vector<Wire> wires;
  std::map<NodeId, std::size_t> box_at;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph[id].is_number()) continue;  // told by each op that reads it
    box_at[id] = boxes.size();
    boxes.push_back(box_of(program, id, places[static_cast<std::size_t>(id)]));
    for (const NodeId input : graph[id].inputs)
      if (!graph[input].is_number())
        wires.push_back({box_at[input], box_at[id], shape_text(to_string(graph[input].shape))});
  }
  const auto mark = [&](NodeId id, const std::string& what, const std::string& style) {
    const auto found = box_at.find(id);
    if (found == box_at.end()) return;
    boxes[found->second].label += "\n" + what;
    boxes[found->second].style = style;
  };
  const auto result = [&](std::size_t i) -> std::string {
    if (program.outputs.size() > 2) return fmt::format("output {}", i);
    if (!updates.empty() && i == 0) return "LOSS";
    return program.outputs.size() == 1 && updates.empty() ? "OUTPUT" : "PREDICTION";
  };
  for (const auto& [variable, value] : program.updates)
    mark(value, fmt::format("→ {}", short_name(graph, variable)), "shape=note, penwidth=1.5");
  for (std::size_t i = 0; i < program.outputs.size(); ++i)
    mark(program.outputs[i], result(i), "shape=box, peripheries=2, penwidth=1.5, fillcolor=\"#D8F0D8\"");
  // The loss before its gradient, as it is thought of.
  const auto gradient =
      std::ranges::find(boxes, Part::gradient, [](const Box& box) { return box.place.part; });
  if (!updates.empty() && !program.outputs.empty() && gradient != boxes.end() && !gradient->leaf)
    wires.push_back({box_at.at(program.outputs.front()), static_cast<std::size_t>(gradient - boxes.begin()),
                     "is differentiated", true});
  const std::string legend =
      updates.empty() ? "" : "→ name: the variable's new value; dashed: what comes from another part";
  return clustered_dot(boxes, wires, legend, options.most_boxes);
}

namespace {

// The place of a step is that of its last op: what the group is there for.
Box box_of(const Plan& plan, std::size_t number, const std::vector<NodePlace>& places) {
  const Step& step = plan.steps[number];
  const NodeId last = step.nodes.empty() ? step.results.back().node : step.nodes.back();
  Box box{places[static_cast<std::size_t>(last)],
          "",
          "",
          fmt::format("step {}", number),
          "",
          place_text(plan.node(last)),
          false};
  const bool fused = step.nodes.size() > 1;
  std::vector<std::string> lines{
      fmt::format("{}{}", number, fused ? fmt::format(": {} ops fused", step.nodes.size()) : "")};
  if (step.kind == Step::Kind::copy) lines.emplace_back("copy");
  for (const NodeId id : step.nodes) lines.push_back(op_label(*plan.program.graph, id));
  for (const auto& result : step.results) {
    const Buffer& value = plan.buffer(result.buffer);
    lines.push_back(fmt::format("⇒ {} {}", buffer_text(plan, value), shape_text(to_string(value.extents))));
  }
  box.label = fmt::format("{}", fmt::join(lines, "\n"));
  box.style = fused ? "shape=box, peripheries=2" : "shape=box";
  return box;
}

}  // namespace

std::string plan_dot(const Plan& plan, std::span<const double> shares, const DrawOptions& options) {
  const std::vector<NodePlace> places = places_of(plan.program);
  std::vector<Box> boxes;
  std::vector<Wire> wires;
  std::map<BufferId, std::size_t> writer;  // the box that a value comes from
  for (std::size_t v = 0; v < plan.buffers.size(); ++v) {
    const Buffer& value = plan.buffers[v];
    if (value.space == Buffer::Space::arena) continue;
    writer[static_cast<BufferId>(v)] = boxes.size();
    const std::string name = short_name(*plan.program.graph, value.node);
    boxes.push_back({places[static_cast<std::size_t>(value.node)],
                     fmt::format("{}\n{}", buffer_text(plan, value), shape_text(to_string(value.extents))),
                     leaf_style(plan.node(value.node)), name, "", "", true});
  }
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const Step& step = plan.steps[s];
    const std::size_t at = boxes.size();
    boxes.push_back(box_of(plan, s, places));
    if (!shares.empty()) {
      // From white to a red that still lets black text be read.
      boxes.back().label += fmt::format("\n{:.1f} %", 100 * shares[s]);
      boxes.back().style += fmt::format(", fillcolor=\"0.03 {:.2f} 1\"", shares[s]);
    }
    for (const Operand& operand : step.operands) {
      if (operand.buffer < 0) continue;
      const Buffer& value = plan.buffer(operand.buffer);
      const std::string where =
          value.space == Buffer::Space::arena ? fmt::format("\narena+{}", value.offset) : std::string();
      wires.push_back(
          {writer.at(operand.buffer), at,
           fmt::format("{}{}{}", shape_text(to_string(value.extents)), access_text(operand.access), where)});
    }
    for (const auto& result : step.results)
      if (plan.buffer(result.buffer).space == Buffer::Space::arena) writer[result.buffer] = at;
  }
  const auto gradient =
      std::ranges::find(boxes, Part::gradient, [](const Box& box) { return box.place.part; });
  if (!plan.outputs.empty() && !plan.program.updates.empty() && gradient != boxes.end())
    wires.push_back({writer.at(plan.outputs.front()), static_cast<std::size_t>(gradient - boxes.begin()),
                     "is differentiated", true});
  const std::string legend = fmt::format(
      "batch {}: {} steps in order of their numbers, arena of {} bytes\ndouble frame: fused into one step; "
      "⇒: where the "
      "result goes; dashed: what comes from another part",
      plan.dims.batch, plan.steps.size(), plan.arena_bytes);
  return clustered_dot(boxes, wires, legend, options.most_boxes);
}

}  // namespace gradus
