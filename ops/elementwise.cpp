#include "gradus/ops/elementwise.hpp"

#include <algorithm>
#include <array>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/ops/reduction.hpp"

namespace gradus {

std::int64_t axis_of(std::string_view op, const Arg& x, std::int64_t axis) {
  const std::span<const Arg> operands(&x, 1);
  graph_of(op, operands);
  try {
    return static_cast<std::int64_t>(resolve_axis(axis, x.expr.shape().rank()));
  } catch (const Error& error) {
    fail(op, operands, error.what());
  }
}

Expr elementwise(OpPtr op, std::span<const Arg> operands) {
  const auto is_literal = [](const Arg& a) { return a.expr.is_literal(); };
  if (std::ranges::all_of(operands, is_literal)) {
    std::vector<double> values;
    for (const Arg& operand : operands) values.push_back(operand.expr.literal());
    return evaluate(*op, values);
  }
  const auto is_node = [](const Arg& a) { return a.expr.is_node(); };
  // Wrong operands are reported by make_node, which knows them all.
  if (std::ranges::none_of(operands, is_node)) return make_node(std::move(op), operands);

  Graph& graph = std::ranges::find_if(operands, is_node)->expr.graph();
  std::vector<Arg> ready(operands.begin(), operands.end());
  Shape common;
  try {
    for (const Arg& operand : operands)
      if (is_node(operand)) common = broadcast_shape(common, operand.expr.shape());
  } catch (const Error&) {
    return make_node(std::move(op), operands);
  }
  for (Arg& operand : ready) {
    if (is_literal(operand))
      operand.expr = graph.full(common, operand.expr.literal(), operand.where);
    else if (is_node(operand))
      operand.expr = broadcast_to(operand, common);
  }
  return make_node(std::move(op), ready);
}

std::vector<Expr> substituted_vjp(const Expr& y, const std::vector<Expr>& leaves, const Vjp& v) {
  Graph& from = y.graph();
  const Expr cotangent = from.input("cotangent", y.shape());
  const std::vector<Expr> partial = vjp(std::array{y}, std::array{cotangent}, leaves);

  std::vector<NodeId> renamed(static_cast<std::size_t>(from.size()), -1);
  const auto at = [&](NodeId id) -> NodeId& { return renamed[static_cast<std::size_t>(id)]; };
  for (std::size_t i = 0; i < leaves.size(); ++i) at(leaves[i].id()) = v.inputs[i].id();
  at(cotangent.id()) = v.cotangent.id();
  at(y.id()) = v.output.id();
  std::vector<bool> needed(renamed.size(), false);
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (v.wanted[i]) needed[static_cast<std::size_t>(partial[i].id())] = true;
  for (NodeId id = from.size() - 1; id >= 0; --id)
    if (needed[static_cast<std::size_t>(id)] && at(id) < 0)
      for (const NodeId input : from[id].inputs) needed[static_cast<std::size_t>(input)] = true;

  Graph& to = v.output.graph();
  for (NodeId id = 0; id < from.size(); ++id) {
    if (!needed[static_cast<std::size_t>(id)] || at(id) >= 0) continue;
    std::vector<NodeId> inputs;
    for (const NodeId input : from[id].inputs) inputs.push_back(at(input));
    at(id) = to.append(from[id].op, std::move(inputs), from[id].shape, to.place({}));
  }
  std::vector<Expr> cotangents(leaves.size());
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (v.wanted[i]) cotangents[i] = to.expr(at(partial[i].id()));
  return cotangents;
}

}  // namespace gradus
