#include "gradus/ops/rules.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/ops/reduction.hpp"

namespace gradus {

namespace {

std::ptrdiff_t batch_axes(const Shape& shape) {
  return std::ranges::count_if(shape, [](Dim extent) { return !extent.is_constant(); });
}

// Whether all operands are nodes of one shape, as they mostly are.
bool are_alike(std::span<const Arg> operands) {
  return std::ranges::all_of(operands, [&](const Arg& a) {
    return a.expr.is_node() && a.expr.shape() == operands.front().expr.shape();
  });
}

// The operands made of one shape; those that are wrong stay as they are: make_node reports them.
std::vector<Arg> broadcast_operands(std::string_view op, std::span<const Arg> operands) {
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
  std::ptrdiff_t batches = 1;
  for (const Arg& operand : ready)
    if (operand.expr.is_node()) batches = std::max(batches, batch_axes(operand.expr.shape()));
  if (batch_axes(common) > batches)
    fail(op, operands,
         "broadcasting would give two batch axes, " + to_string(common) +
             "; reshape one operand, or say broadcast_to where that is meant");
  for (Arg& operand : ready) {
    if (operand.expr.is_literal())
      operand.expr = graph.full(common, operand.expr.literal(), operand.where);
    else if (operand.expr.is_node())
      operand.expr = broadcast_to(operand, common);
  }
  return ready;
}

// Copies the nodes that `wanted` need from their graph to `to`, but for those that `copies` names already.
void copy_needed(Graph& from, Graph& to, std::span<const Expr> wanted, std::map<NodeId, NodeId>& copies) {
  std::set<NodeId> needed;
  for (const Expr& expr : wanted) needed.insert(expr.id());
  for (NodeId id = from.size() - 1; id >= 0; --id)
    if (needed.contains(id) && !copies.contains(id))
      needed.insert(from[id].inputs.begin(), from[id].inputs.end());
  for (const NodeId id : needed) {
    if (copies.contains(id)) continue;
    std::vector<NodeId> inputs;
    for (const NodeId input : from[id].inputs) inputs.push_back(copies.at(input));
    copies[id] = to.append(from[id].content, std::move(inputs), from[id].shape, to.line({}));
  }
}

}  // namespace

std::int64_t axis_of(std::string_view op, const Arg& x, std::int64_t axis) {
  graph_of(op, {&x, 1});
  try {
    return static_cast<std::int64_t>(resolve_axis(axis, x.expr.shape().rank()));
  } catch (const Error& error) {
    fail(op, {&x, 1}, error.what());
  }
}

namespace detail {

Expr apply(OpPtr op, std::span<const Arg> operands) {
  if (op->elementwise() == nullptr || are_alike(operands)) return make_node(std::move(op), operands);
  if (!std::ranges::all_of(operands, [](const Arg& a) { return a.expr.is_literal(); }))
    return make_node(op, broadcast_operands(op->name(), operands));
  std::vector<double> numbers;
  for (const Arg& operand : operands) numbers.push_back(operand.expr.literal());
  return evaluate(*op->elementwise(), numbers);
}

std::vector<Expr> apply_for_outputs(OpPtr op, std::span<const Arg> operands) {
  if (op->elementwise() == nullptr) return make_nodes(std::move(op), operands);
  return make_nodes(op, broadcast_operands(op->name(), operands));
}

std::vector<Expr> composite_vjp(std::span<const Expr> outputs, std::span<const Expr> leaves, const Vjp& v) {
  Graph& formula = outputs.front().graph();
  std::map<NodeId, NodeId> copies;  // the nodes of v's graph that stand for those of the formula
  for (std::size_t i = 0; i < leaves.size(); ++i) copies[leaves[i].id()] = v.inputs[i].id();
  std::vector<Expr> reached;
  std::vector<Expr> cotangents;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    copies.try_emplace(outputs[i].id(), v.outputs[i].id());
    if (v.cotangents[i].is_null()) continue;
    reached.push_back(outputs[i]);
    cotangents.push_back(formula.input("cotangent" + std::to_string(i), outputs[i].shape()));
    copies[cotangents.back().id()] = v.cotangents[i].id();
  }
  const std::vector<Expr> partial = vjp(reached, cotangents, leaves);
  std::vector<Expr> wanted;
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (v.wanted[i]) wanted.push_back(partial[i]);
  Graph& graph = v.output.graph();
  copy_needed(formula, graph, wanted, copies);
  std::vector<Expr> found(leaves.size());
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (v.wanted[i]) found[i] = graph.expr(copies.at(partial[i].id()));
  return found;
}

}  // namespace detail

}  // namespace gradus
