#include "gradus/ops/rules.hpp"

#include <algorithm>

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

namespace detail {

std::vector<Arg> broadcast_operands(std::span<const Arg> operands) {
  std::vector<Arg> ready(operands.begin(), operands.end());
  const auto node = std::ranges::find_if(ready, [](const Arg& a) { return a.expr.is_node(); });
  if (node == ready.end()) return ready;
  Graph& graph = node->expr.graph();
  Shape common;
  try {
    for (const Arg& operand : ready)
      if (operand.expr.is_node()) common = broadcast_shape(common, operand.expr.shape());
  } catch (const Error&) {
    return ready;
  }
  for (Arg& operand : ready) {
    if (operand.expr.is_literal())
      operand.expr = graph.full(common, operand.expr.literal(), operand.where);
    else if (operand.expr.is_node())
      operand.expr = broadcast_to(operand, common);
  }
  return ready;
}

Expr fold_numbers(const ElementwiseOp& op, std::span<const Arg> operands) {
  std::vector<double> values;
  for (const Arg& operand : operands) {
    if (!operand.expr.is_literal()) return {};
    values.push_back(operand.expr.literal());
  }
  return evaluate(op, values);
}

namespace {

// Copies the nodes that `wanted` need from their graph to `to`, but for those that `renamed` names there.
void copy_needed(Graph& from, Graph& to, std::span<const Expr> wanted, std::vector<NodeId>& renamed) {
  const auto at = [&](NodeId id) -> NodeId& { return renamed[static_cast<std::size_t>(id)]; };
  std::vector<bool> needed(renamed.size(), false);
  for (const Expr& expr : wanted) needed[static_cast<std::size_t>(expr.id())] = true;
  for (NodeId id = from.size() - 1; id >= 0; --id)
    if (needed[static_cast<std::size_t>(id)] && at(id) < 0)
      for (const NodeId input : from[id].inputs) needed[static_cast<std::size_t>(input)] = true;
  for (NodeId id = 0; id < from.size(); ++id) {
    if (!needed[static_cast<std::size_t>(id)] || at(id) >= 0) continue;
    std::vector<NodeId> inputs;
    for (const NodeId input : from[id].inputs) inputs.push_back(at(input));
    at(id) = to.append(from[id].content, std::move(inputs), from[id].shape, to.line({}));
  }
}

}  // namespace

std::vector<Expr> composite_vjp(std::span<const Expr> outputs, std::span<const Expr> leaves, const Vjp& v) {
  Graph& from = outputs.front().graph();
  std::vector<Expr> reached;
  std::vector<Expr> cotangents;
  std::vector<NodeId> real;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (v.cotangents[i].is_null()) continue;
    reached.push_back(outputs[i]);
    cotangents.push_back(from.input("cotangent" + std::to_string(i), outputs[i].shape()));
    real.push_back(v.cotangents[i].id());
  }
  const std::vector<Expr> partial = vjp(reached, cotangents, leaves);

  std::vector<NodeId> renamed(static_cast<std::size_t>(from.size()), -1);
  const auto at = [&](const Expr& expr) -> NodeId& { return renamed[static_cast<std::size_t>(expr.id())]; };
  for (std::size_t i = 0; i < leaves.size(); ++i) at(leaves[i]) = v.inputs[i].id();
  for (std::size_t i = 0; i < cotangents.size(); ++i) at(cotangents[i]) = real[i];
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (at(outputs[i]) < 0) at(outputs[i]) = v.outputs[i].id();
  std::vector<Expr> wanted;
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (v.wanted[i]) wanted.push_back(partial[i]);
  Graph& to = v.output.graph();
  copy_needed(from, to, wanted, renamed);
  std::vector<Expr> found(leaves.size());
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (v.wanted[i]) found[i] = to.expr(at(partial[i]));
  return found;
}

}  // namespace detail

}  // namespace gradus
