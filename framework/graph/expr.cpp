#include "gradus/graph/expr.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "gradus/graph/graph.hpp"
#include "gradus/graph/op.hpp"

namespace gradus {

Graph& Expr::graph(Location where) const {
  if (is_node()) return *graph_;
  const Arg self(*this, where);
  fail("Expr", {&self, 1},
       is_literal_ ? "a number stands alone: it has no graph and no shape until it meets a node; use "
                     "graph.full(shape, number) instead"
                   : "an empty expression was used: it stands for no value (no gradient path)");
}

NodeId Expr::id(Location where) const { return graph(where), id_; }

const Shape& Expr::shape(Location where) const { return graph(where)[id_].shape; }

namespace {

// The first known line: with a scope open, the scope's.
Location line_of(const Graph& graph, std::span<const Arg> operands) {
  const auto known = std::ranges::find_if(operands, [](const Arg& a) { return a.where.known(); });
  return graph.line(known == operands.end() ? Location() : known->where);
}

std::vector<Shape> checked_shapes(const Op& op, std::span<const Arg> operands) {
  std::vector<const Shape*> inputs;
  inputs.reserve(operands.size());
  for (const Arg& operand : operands) inputs.push_back(&operand.expr.shape());
  std::vector<Shape> shapes;
  try {
    shapes = op.output_shapes(InputShapes(inputs));
  } catch (const Error& error) {
    fail(op.name(), operands, error.what());
  }
  if (shapes.size() != op.traits().outputs)
    fail(op.name(), operands,
         fmt::format("its traits promise {} outputs, its shape rule {}", op.traits().outputs, shapes.size()));
  for (const Shape& shape : shapes)
    if (shape.is_empty())
      fail(op.name(), operands, fmt::format("the result {} has an extent below 1", to_string(shape)));
  return shapes;
}

// The node of an op on these operands, whose shapes are inferred and checked.
Expr apply(OpPtr op, std::span<const Arg> operands) {
  Graph& graph = common_graph_of(op->name(), operands);
  std::vector<NodeId> inputs;
  inputs.reserve(operands.size());
  for (const Arg& operand : operands) inputs.push_back(operand.expr.id());
  std::vector<Shape> shapes = checked_shapes(*op, operands);
  // An op of several outputs has no value itself.
  Shape shape = shapes.size() == 1 ? std::move(shapes.front()) : Shape();
  return {graph, graph.append(std::move(op), std::move(inputs), std::move(shape), line_of(graph, operands))};
}

}  // namespace

void fail(std::string_view op, std::span<const Arg> operands, std::string_view reason) {
  std::vector<std::string> texts;
  Location where = operands.empty() ? Location() : operands.front().where;
  for (const auto& [expr, own] : operands) {
    if (expr.is_node() && (texts.empty() || !where.known())) where = line_of(expr.graph(), operands);
    texts.push_back(expr.is_node()      ? expr.graph().describe(expr.id())
                    : expr.is_literal() ? fmt::format("{}", expr.literal())
                                        : "nothing");
  }
  const std::string at = where.known() ? " at " + to_string(where) : "";
  throw Error(fmt::format("{}{}: {}: {}", op, at, reason, fmt::join(texts, ", ")));
}

Graph& graph_of(std::string_view op, std::span<const Arg> operands) {
  const auto node = std::ranges::find_if(operands, [](const Arg& a) { return a.expr.is_node(); });
  if (node == operands.end()) fail(op, operands, "at least one operand must be a node of a graph");
  Graph& graph = node->expr.graph();
  for (const Arg& operand : operands) {
    if (operand.expr.is_null()) fail(op, operands, "an operand is empty (it stands for no gradient path)");
    if (operand.expr.is_node() && &operand.expr.graph() != &graph)
      fail(op, operands, "the operands come from two graphs");
  }
  return graph;
}

Graph& common_graph_of(std::string_view op, std::span<const Arg> operands) {
  Graph& graph = graph_of(op, operands);
  if (std::ranges::any_of(operands, [](const Arg& a) { return a.expr.is_literal(); }))
    fail(op, operands, "a bare number has no shape here");
  return graph;
}

Expr make_node(OpPtr op, std::span<const Arg> operands) {
  if (op->traits().outputs > 1)
    fail(op->name(), operands, "it has several outputs: make_nodes gives them all");
  return apply(std::move(op), operands);
}

std::vector<Expr> make_nodes(OpPtr op, std::span<const Arg> operands) {
  const bool is_tuple = op->traits().outputs > 1;
  const Expr made = apply(std::move(op), operands);
  return is_tuple ? made.graph().outputs(made.id()) : std::vector{made};
}

const Op* op_of(const Expr& expr) { return expr.graph()[expr.id()].op(); }

}  // namespace gradus
