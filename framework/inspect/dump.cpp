#include "gradus/inspect/dump.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <string_view>

#include "framework/compile/extract.hpp"
#include "framework/compile/plan.hpp"
#include "framework/inspect/names.hpp"

namespace gradus {

// "W1" for what has a name, the number for a uniform constant, "%7" for the rest.
std::string short_name(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (node.is_leaf() && !node.label.empty()) return node.label;
  if (const auto* full = node.full())
    return full->is_dim ? to_string(full->dim) : fmt::format("{}", full->value);
  return fmt::format("%{}", id);
}

// The attributes that the shape does not tell already.
std::string op_text(const Node& node) {
  if (node.output() != nullptr) return fmt::format("output<{}>", node.output()->index);
  const std::string attributes = node.op() != nullptr ? node.op()->attribute_text() : "";
  return attributes.empty() ? std::string(node.name()) : fmt::format("{}<{}>", node.name(), attributes);
}

std::string buffer_text(const Plan& plan, const Buffer& buffer) {
  switch (buffer.space) {
    case Buffer::Space::arena:
      return fmt::format("arena+{}{}", buffer.offset, buffer.in_place ? " in place" : "");
    case Buffer::Space::variable:
      return fmt::format("store '{}'", plan.node(buffer.node).label);
    case Buffer::Space::input:
      return fmt::format("input '{}'", plan.node(buffer.node).label);
    case Buffer::Space::constant:
      return fmt::format("constant {}", short_name(*plan.program.graph, buffer.node));
  }
  return {};
}

std::string_view access_text(Access access) {
  switch (access) {
    case Access::full:
      return "";
    case Access::scalar:
      return " (scalar)";
    case Access::row:
      return " (row)";
    case Access::column:
      return " (column)";
  }
  return {};
}

namespace {

using Out = std::back_insert_iterator<std::string>;

void node_line(Out out, const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  std::vector<std::string> inputs;
  for (const NodeId input : node.inputs) inputs.push_back(short_name(graph, input));
  std::string line;
  if (node.is_leaf())
    line = fmt::format("{} {} {}", node.name(), short_name(graph, id), to_string(node.shape));
  else
    line = fmt::format("%{} = {}({}) {}", id, op_text(node), fmt::join(inputs, ", "),
                       node.tuple ? "several outputs" : to_string(node.shape));
  if (!node.is_leaf() && !node.label.empty()) line += fmt::format(" '{}'", node.label);
  if (node.where.known()) line = fmt::format("{:<72} # {}", line, to_string(node.where));
  fmt::format_to(out, "{}\n", line);
}

std::string step_text(const Plan& plan, const Step& step, std::string_view separator) {
  if (step.kind == Step::Kind::copy) return "copy";
  std::vector<std::string> names;
  for (const NodeId id : step.nodes) names.push_back(op_text(plan.node(id)));
  return fmt::format("{}", fmt::join(names, separator));
}

std::string operand_text(const Plan& plan, const Operand& operand) {
  const std::string name = short_name(*plan.program.graph, operand.node);
  return operand.buffer == no_buffer ? name : name + std::string(access_text(operand.access));
}

}  // namespace

std::string graph_text(std::span<const Expr> outputs, std::span<const Update> updates) {
  const Program program = extract(outputs, updates);
  const Graph& graph = *program.graph;
  std::string text;
  const Out out(text);
  for (NodeId id = 0; id < graph.size(); ++id)
    if (!graph[id].is_number()) node_line(out, graph, id);
  for (const NodeId id : program.outputs) fmt::format_to(out, "output {}\n", short_name(graph, id));
  for (const auto& [variable, value] : program.updates)
    fmt::format_to(out, "update {} <- {}\n", short_name(graph, variable), short_name(graph, value));
  return text;
}

std::string step_ops(const Plan& plan, const Step& step) {
  if (step.kind == Step::Kind::copy) return "copy";
  std::vector<std::string_view> names;
  for (const NodeId id : step.nodes) names.push_back(plan.node(id).name());
  return fmt::format("{}", fmt::join(names, " "));
}

std::string step_name(const Plan& plan, const Step& step) {
  const auto& result = step.results.front();
  const Buffer& buffer = plan.buffer(result.buffer);
  if (buffer.space == Buffer::Space::variable) return plan.node(buffer.node).label;
  const std::string& label = plan.node(result.node).label;
  return label.empty() ? fmt::format("%{} {}", result.node, to_string(buffer.extents)) : label;
}

std::string plan_text(const Plan& plan) {
  std::string text = fmt::format(
      "batch {}, {} bytes an element: {} steps, arena {} bytes, inputs and constants {} bytes\n",
      plan.dims.batch, bytes_of(plan.dtype), plan.steps.size(), plan.arena_bytes, plan.pinned_bytes);
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const Step& step = plan.steps[s];
    std::vector<std::string> operands;
    std::vector<std::string> results;
    for (const Operand& operand : step.operands) operands.push_back(operand_text(plan, operand));
    for (const auto& result : step.results) {
      const Buffer& buffer = plan.buffer(result.buffer);
      results.push_back(
          fmt::format("%{} {} -> {}", result.node, to_string(buffer.extents), buffer_text(plan, buffer)));
    }
    text += fmt::format("{:>4}  {}({})\n      {}\n", s, step_text(plan, step, " "), fmt::join(operands, ", "),
                        fmt::join(results, ", "));
  }
  return text;
}

}  // namespace gradus
