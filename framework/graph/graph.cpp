#include "gradus/graph/graph.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "gradus/graph/op_of.hpp"

namespace gradus {

Graph::Scope::Scope(Graph& graph, Location where) : graph_(graph), outer_(graph.scope_) {
  // The outermost scope wins: it is nearest to the user's own line.
  if (!outer_.known()) graph.scope_ = where;
}

Expr Graph::leaf(NodeContent content, const std::string& name, Shape shape, Location where) {
  Node node{std::move(content), {}, std::move(shape), name, line(where)};
  const std::string at = to_string(node.where);
  if (name.empty()) throw Error(fmt::format("{} at {}: the name is empty", node.name(), at));
  if (const auto found = by_name_.find(name); found != by_name_.end())
    throw Error(fmt::format(
        "{} at {}: the name '{}' is taken by the {} at {}; take another, or use that one's expression",
        node.name(), at, name, (*this)[found->second].name(), to_string((*this)[found->second].where)));
  require_extents(node);
  const NodeId id = size();
  nodes_.push_back(std::move(node));
  by_name_.emplace(name, id);
  return {*this, id};
}

Expr Graph::input(const std::string& name, Shape shape, Location where) {
  return leaf(std::make_shared<const Input>(Input{name}), name, std::move(shape), where);
}

Expr Graph::variable(Variable variable, Shape shape, Location where) {
  if (!shape.is_constant())
    throw Error(fmt::format(
        "{} '{}' at {}: shape {} holds the batch; what outlives a run cannot depend on it",
        variable.trainable ? "parameter" : "state", variable.name, to_string(line(where)), to_string(shape)));
  const std::string name = variable.name;
  if (const auto found = by_name_.find(name); shared_ != nullptr && found != by_name_.end()) {
    const Node& node = (*this)[found->second];
    const auto* there = std::get_if<std::shared_ptr<const Variable>>(&node.content);
    if (there != nullptr && shared_->contains(*there) && node.shape == shape &&
        (*there)->trainable == variable.trainable)
      return expr(found->second);
  }
  const auto made = std::make_shared<const Variable>(std::move(variable));
  const Expr node = leaf(made, name, std::move(shape), where);
  if (shared_ != nullptr) shared_->insert(made);
  return node;
}

Expr Graph::parameter(const std::string& name, Shape shape, Initializer initializer, Location where) {
  return variable({name, std::move(initializer)}, std::move(shape), where);
}

Expr Graph::state(const std::string& name, Shape shape, Initializer initializer, Location where) {
  return variable({name, std::move(initializer), false}, std::move(shape), where);
}

Expr Graph::setting(const std::string& name, double value, Location where) {
  if (std::isnan(value))
    throw Error(fmt::format("setting '{}' at {}: the value is {}; it must be a number", name,
                            to_string(line(where)), value));
  const auto start = [value](const Extents&, std::uint64_t, std::span<double> values) {
    values.front() = value;
  };
  return variable({name, start, false, true}, {}, where);
}

Expr Graph::constant(const Extents& shape, std::vector<double> values, Location where) {
  if (Shape(shape).is_empty() || Shape(shape).is_too_large() ||
      element_count(shape) != static_cast<std::int64_t>(values.size()))
    throw Error(fmt::format("constant at {}: {} values do not fill the shape {}", to_string(line(where)),
                            values.size(), to_string(shape)));
  return {*this,
          append(std::make_shared<const Constant>(Constant{std::move(values)}), {}, Shape(shape), where)};
}

Expr Graph::full(const Shape& shape, double value, Location where) {
  return {*this, append(Full{.value = value}, {}, shape, where)};
}

Expr Graph::full(const Shape& shape, Dim value, Location where) {
  if (value.is_constant()) return full(shape, static_cast<double>(value.constant()), where);
  return {*this, append(Full{.dim = value, .is_dim = true}, {}, shape, where)};
}

Expr Graph::name(Arg expr, std::string label) {
  if (&graph_of("name", {&expr, 1}) != this) fail("name", {&expr, 1}, "it is not in this graph");
  Node& node = nodes_[static_cast<std::size_t>(expr.expr.id())];
  if (node.label.empty()) node.label = std::move(label);
  return expr.expr;
}

Expr Graph::find(std::string_view name, Location where) {
  if (const auto found = by_name_.find(std::string(name)); found != by_name_.end())
    return {*this, found->second};
  std::vector<std::string_view> names;
  for (const auto& [label, id] : by_name_) names.push_back(label);
  std::ranges::sort(names);
  throw Error(fmt::format("find at {}: the graph has no input, parameter or state '{}'; it has: {}",
                          to_string(line(where)), name,
                          names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

std::vector<Expr> Graph::parameters() {
  std::vector<Expr> found;
  for (NodeId id = 0; id < size(); ++id)
    if (const Variable* variable = (*this)[id].variable(); variable != nullptr && variable->trainable)
      found.push_back(expr(id));
  return found;
}

std::vector<Expr> Graph::outputs(NodeId id) {
  std::vector<const Shape*> shapes;
  for (const NodeId input : (*this)[id].inputs) shapes.push_back(&(*this)[input].shape);
  std::vector<Expr> found;
  for (Shape& shape : (*this)[id].op()->output_shapes(InputShapes(shapes)))
    found.push_back(expr(append(Output{found.size()}, {id}, std::move(shape), (*this)[id].where)));
  return found;
}

namespace {

// Equal for equal nodes. Inputs and variables are equal only to themselves.
std::size_t hash_of(const Node& node) {
  std::size_t hash = 0;
  if (const Op* op = node.op())
    hash = op->hash();
  else if (const Output* output = node.output())
    hash = hash_combine(1, output->index);
  else if (const Constant* constant = node.constant())
    hash = hash_combine(hash_value(node.shape), detail::hash_of(constant->values));
  else if (const Full* full = node.full())
    hash = hash_combine(hash_value(node.shape),
                        hash_combine(detail::hash_of(full->value), hash_value(full->dim)));
  else
    hash = std::hash<const void*>()(node.identity());
  for (const NodeId input : node.inputs) hash = hash_combine(hash, static_cast<std::size_t>(input));
  return hash;
}

bool is_same(const Node& a, const Node& b) {
  if (a.inputs != b.inputs || a.content.index() != b.content.index()) return false;
  // Equal ops on equal inputs have equal shapes.
  if (a.op() != nullptr) return a.op()->same_as(*b.op());
  if (a.output() != nullptr) return a.output()->index == b.output()->index;
  if (a.shape != b.shape) return false;
  if (const Full* full = a.full())
    return detail::same_value(full->value, b.full()->value) && full->dim == b.full()->dim &&
           full->is_dim == b.full()->is_dim;
  return a.constant() != nullptr && detail::same_value(a.constant()->values, b.constant()->values);
}

}  // namespace

void Graph::require_extents(const Node& node) const {
  if (!node.shape.is_empty() && !node.shape.is_too_large()) return;
  std::vector<std::string> operands;
  for (const NodeId input : node.inputs) operands.push_back(describe(input));
  const std::string wrong =
      node.shape.is_empty()
          ? fmt::format("every extent of {} must be at least 1", to_string(node.shape))
          : fmt::format("{} has more than {} elements", to_string(node.shape), most_elements);
  throw Error(fmt::format("{}{} at {}: {}{}{}", node.name(),
                          node.label.empty() ? "" : " '" + node.label + "'", to_string(node.where), wrong,
                          operands.empty() ? "" : ": ", fmt::join(operands, ", ")));
}

NodeId Graph::append(NodeContent content, std::vector<NodeId> inputs, Shape shape, Location where) {
  Node node{std::move(content), std::move(inputs), std::move(shape), {}, line(where)};
  const Traits traits = node.traits();
  node.tuple = traits.outputs > 1;
  node.view = traits.view;
  node.broadcast = traits.broadcast;
  require_extents(node);
  if (traits.commutative && node.inputs.size() == 2 && node.inputs[0] > node.inputs[1])
    std::swap(node.inputs[0], node.inputs[1]);
  if (!traits.impure) {
    make_room();
    const std::size_t hash = hash_of(node);
    for (std::size_t at = first_slot(hash); by_hash_[at].id >= 0; at = next_slot(at))
      if (by_hash_[at].hash == hash && is_same((*this)[by_hash_[at].id], node)) return by_hash_[at].id;
    enter({hash, size()});
  }
  nodes_.push_back(std::move(node));
  return size() - 1;
}

void Graph::enter(Entry entry) {
  std::size_t at = first_slot(entry.hash);
  while (by_hash_[at].id >= 0) at = next_slot(at);
  by_hash_[at] = entry;
  ++hashed_;
}

void Graph::make_room() {
  if (static_cast<std::size_t>(hashed_) * 2 < by_hash_.size()) return;
  std::vector<Entry> before(std::max<std::size_t>(64, by_hash_.size() * 2));
  before.swap(by_hash_);
  hashed_ = 0;
  for (const Entry& entry : before)
    if (entry.id >= 0) enter(entry);
}

std::string Graph::describe(NodeId id) const {
  const Node& node = (*this)[id];
  const std::string label = node.label.empty() ? fmt::format("{}#{}", node.name(), id) : node.label;
  return fmt::format("{} {}", label, to_string(node.shape));
}

}  // namespace gradus
