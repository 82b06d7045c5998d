#include "gradus/framework/inspect/dump.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <string_view>

#include "gradus/framework/graph/leaf.hpp"

namespace gradus {

namespace {

using Out = std::back_insert_iterator<std::string>;

const Leaf* leaf_of(const Node& node) { return dynamic_cast<const Leaf*>(node.op.get()); }

// "W1" for what has a name, the number for a uniform constant, "%7" for the rest.
std::string short_name(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (leaf_of(node) != nullptr && !node.label.empty()) return node.label;
  if (const auto* full = dynamic_cast<const Full*>(node.op.get()))
    return full->is_dim ? to_string(full->dim) : fmt::format("{}", full->value);
  return fmt::format("%{}", id);
}

// The attributes that the shape does not tell already.
std::string op_text(const Node& node) {
  const std::string attributes = leaf_of(node) == nullptr ? node.op->attribute_text() : "";
  return attributes.empty() ? std::string(node.op->name())
                            : fmt::format("{}<{}>", node.op->name(), attributes);
}

std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

bool is_number(const Node& node) { return dynamic_cast<const Full*>(node.op.get()) != nullptr; }

void node_line(Out out, const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  std::vector<std::string> inputs;
  for (const NodeId input : node.inputs) inputs.push_back(short_name(graph, input));
  std::string line;
  if (leaf_of(node) != nullptr)
    line = fmt::format("{} {} {}", node.op->name(), short_name(graph, id), to_string(node.shape));
  else
    line = fmt::format("%{} = {}({}) {}", id, op_text(node), fmt::join(inputs, ", "), to_string(node.shape));
  if (leaf_of(node) == nullptr && !node.label.empty()) line += fmt::format(" '{}'", node.label);
  if (node.where.known()) line = fmt::format("{:<72} # {}", line, to_string(node.where));
  fmt::format_to(out, "{}\n", line);
}

constexpr std::string_view dot_style =
    "  rankdir=LR; node [fontname=\"Helvetica\", fontsize=11, style=filled, fillcolor=white];\n"
    "  edge [fontname=\"Helvetica\", fontsize=9, color=gray40];\n";

std::string_view leaf_colour(const Node& node) {
  if (dynamic_cast<const Input*>(node.op.get()) != nullptr) return "lightblue";
  const auto* variable = dynamic_cast<const Variable*>(node.op.get());
  return variable == nullptr ? "gray92" : variable->trainable ? "lightgoldenrod1" : "cornsilk";
}

void dot_node(Out out, const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (leaf_of(node) != nullptr) {
    fmt::format_to(out, "  n{} [shape=box, fillcolor={}, label=\"{}\\n{}\"];\n", id, leaf_colour(node),
                   escape(short_name(graph, id)), to_string(node.shape));
    return;
  }
  const std::string label = node.label.empty() ? "" : fmt::format("\\n'{}'", escape(node.label));
  fmt::format_to(out, "  n{} [label=\"{}{}\", tooltip=\"{}\"];\n", id, escape(node.op->name()), label,
                 escape(fmt::format("%{} {} {}", id, op_text(node), to_string(node.where))));
}

std::string buffer_text(const Plan& plan, const Value& value) {
  switch (value.place) {
    case Value::Place::arena:
      return fmt::format("arena+{}{}", value.offset, value.in_place ? " in place" : "");
    case Value::Place::variable:
      return fmt::format("store '{}'", plan.node(value.node).label);
    case Value::Place::input:
      return fmt::format("input '{}'", plan.node(value.node).label);
    case Value::Place::constant:
      return fmt::format("constant {}", short_name(*plan.program.graph, value.node));
  }
  return {};
}

std::string step_text(const Plan& plan, const Step& step, std::string_view separator) {
  if (step.kind == Step::Kind::copy) return "copy";
  std::vector<std::string> names;
  for (const NodeId id : step.nodes) names.push_back(op_text(plan.node(id)));
  return fmt::format("{}", fmt::join(names, separator));
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

std::string operand_text(const Plan& plan, const Operand& operand) {
  const std::string name = short_name(*plan.program.graph, operand.node);
  return operand.value < 0 ? name : name + std::string(access_text(operand.access));
}

}  // namespace

std::string graph_text(std::span<const Expr> outputs, std::span<const Update> updates) {
  const Program program = extract(outputs, updates);
  const Graph& graph = *program.graph;
  std::string text;
  const Out out(text);
  for (NodeId id = 0; id < graph.size(); ++id)
    if (!is_number(graph[id])) node_line(out, graph, id);
  for (const NodeId id : program.outputs) fmt::format_to(out, "output {}\n", short_name(graph, id));
  for (const auto& [variable, value] : program.updates)
    fmt::format_to(out, "update {} <- {}\n", short_name(graph, variable), short_name(graph, value));
  return text;
}

std::string graph_dot(std::span<const Expr> outputs, std::span<const Update> updates) {
  const Program program = extract(outputs, updates);
  const Graph& graph = *program.graph;
  std::string text = fmt::format("digraph gradus {{\n{}", dot_style);
  const Out out(text);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (is_number(graph[id])) continue;  // drawn beside each op that reads it
    dot_node(out, graph, id);
    for (std::size_t i = 0; i < graph[id].inputs.size(); ++i) {
      const NodeId input = graph[id].inputs[i];
      if (is_number(graph[input])) {
        fmt::format_to(out, "  n{0}_{1} [shape=plaintext, style=\"\", label=\"{2}\"];\n  n{0}_{1} -> n{0};\n",
                       id, i, short_name(graph, input));
        continue;
      }
      fmt::format_to(out, "  n{} -> n{} [label=\"{}\"];\n", input, id, to_string(graph[input].shape));
    }
  }
  for (std::size_t i = 0; i < program.outputs.size(); ++i)
    fmt::format_to(
        out,
        "  out{0} [shape=box, style=\"filled,rounded\", fillcolor=palegreen, label=\"output {0}\"];\n"
        "  n{1} -> out{0};\n",
        i, program.outputs[i]);
  for (const auto& [variable, value] : program.updates)
    fmt::format_to(out, "  n{} -> n{} [style=dashed, color=firebrick, constraint=false, label=\"update\"];\n",
                   value, variable);
  return text + "}\n";
}

std::string step_ops(const Plan& plan, const Step& step) {
  if (step.kind == Step::Kind::copy) return "copy";
  std::vector<std::string_view> names;
  for (const NodeId id : step.nodes) names.push_back(plan.node(id).op->name());
  return fmt::format("{}", fmt::join(names, " "));
}

std::string step_name(const Plan& plan, const Step& step) {
  const auto& result = step.results.front();
  const Value& value = plan.value(result.value);
  if (value.place == Value::Place::variable) return plan.node(value.node).label;
  const std::string& label = plan.node(result.node).label;
  return label.empty() ? fmt::format("%{} {}", result.node, to_string(value.extents)) : label;
}

std::string plan_text(const Plan& plan) {
  std::string text =
      fmt::format("batch {}, {} bytes an element: {} steps, arena {} bytes, inputs and constants {} bytes\n",
                  plan.batch, plan.element_bytes, plan.steps.size(), plan.arena_bytes, plan.pinned_bytes);
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const Step& step = plan.steps[s];
    std::vector<std::string> operands;
    std::vector<std::string> results;
    for (const Operand& operand : step.operands) operands.push_back(operand_text(plan, operand));
    for (const auto& result : step.results) {
      const Value& value = plan.value(result.value);
      results.push_back(
          fmt::format("%{} {} -> {}", result.node, to_string(value.extents), buffer_text(plan, value)));
    }
    text += fmt::format("{:>4}  {}({})\n      {}\n", s, step_text(plan, step, " "), fmt::join(operands, ", "),
                        fmt::join(results, ", "));
  }
  return text;
}

std::string plan_dot(const Plan& plan, std::span<const double> shares) {
  std::string text = fmt::format("digraph plan {{\n{}  node [shape=box];\n", dot_style);
  const Out out(text);
  std::vector<std::int64_t> writer(plan.values.size(), -1);
  for (std::size_t v = 0; v < plan.values.size(); ++v)
    if (plan.values[v].place != Value::Place::arena)
      fmt::format_to(out, "  v{} [fillcolor={}, label=\"{}\\n{}\"];\n", v,
                     leaf_colour(plan.node(plan.values[v].node)), escape(buffer_text(plan, plan.values[v])),
                     to_string(plan.values[v].extents));
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const Step& step = plan.steps[s];
    // From white to a red that still lets black text be read.
    const std::string heat =
        shares.empty() ? ""
                       : fmt::format("\\n{:.1f} %\", fillcolor=\"0.03 {:.2f} 1", 100 * shares[s], shares[s]);
    fmt::format_to(out, "  s{} [style=\"filled,rounded\", label=\"{}: {}{}\"];\n", s, s,
                   step_text(plan, step, "\\n"), heat);
    for (const Operand& operand : step.operands) {
      if (operand.value < 0) continue;
      const auto v = static_cast<std::size_t>(operand.value);
      const std::string from = writer[v] < 0 ? fmt::format("v{}", v) : fmt::format("s{}", writer[v]);
      fmt::format_to(out, "  {} -> s{} [label=\"{}{}\"];\n", from, s, to_string(plan.values[v].extents),
                     access_text(operand.access));
    }
    for (const auto& result : step.results) {
      const auto v = static_cast<std::size_t>(result.value);
      if (plan.values[v].place == Value::Place::variable)
        fmt::format_to(out, "  s{} -> v{} [style=dashed, color=firebrick, constraint=false];\n", s, v);
      else
        writer[v] = static_cast<std::int64_t>(s);
    }
  }
  return text + "}\n";
}

}  // namespace gradus
