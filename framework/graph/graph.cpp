#include "gradus/graph/graph.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "gradus/graph/leaf.hpp"
#include "gradus/graph/op_definitions.hpp"

namespace gradus {

namespace detail {
std::string text_of(double v) { return fmt::format("{}", v); }
std::string text_of(std::int64_t v) { return fmt::format("{}", v); }
std::string text_of(bool v) { return v ? "true" : "false"; }
}  // namespace detail

std::string to_string(const Location& where) {
  if (!where.known()) return {};
  const std::string_view path = where.file;
  return fmt::format("{}:{}", path.substr(path.rfind('/') + 1), where.line);
}

Graph& Expr::graph() const {
  if (!is_node())
    throw Error(is_literal_ ? fmt::format("the number {} stands alone: it has no graph and no shape until it "
                                          "meets a node; use graph.full(shape, {}) instead",
                                          literal_, literal_)
                            : "an empty expression was used: it stands for no value (no gradient path)");
  return *graph_;
}

NodeId Expr::id() const { return graph(), id_; }

const Shape& Expr::shape() const { return graph()[id_].shape; }

Graph::Scope::Scope(Graph& graph, Location where) : graph_(graph), outer_(graph.scope_) {
  // The outermost scope wins: it is nearest to the user's own line.
  if (!outer_.known()) graph.scope_ = where;
}

namespace {
// An extent that holds the batch is looked at when the batch is known.
bool is_empty(const Shape& shape) {
  return std::ranges::any_of(shape, [](Dim dim) { return dim.is_constant() && dim.constant() < 1; });
}
}  // namespace

Expr Graph::leaf(OpPtr op, std::string label, Location where) {
  where = place(where);
  if (label.empty()) throw Error(fmt::format("{} at {}: the name is empty", op->name(), to_string(where)));
  if (const auto found = by_name_.find(label); found != by_name_.end())
    throw Error(fmt::format("{} at {}: the name '{}' is taken by the {} at {}", op->name(), to_string(where),
                            label, (*this)[found->second].op->name(),
                            to_string((*this)[found->second].where)));
  Shape shape = static_cast<const Leaf&>(*op).shape;
  if (is_empty(shape))
    throw Error(fmt::format("{} '{}' at {}: every extent of {} must be at least 1", op->name(), label,
                            to_string(where), to_string(shape)));
  const NodeId id = append(std::move(op), {}, std::move(shape), where);
  nodes_.back().label = label;
  by_name_.emplace(std::move(label), id);
  return {*this, id};
}

Expr Graph::input(const std::string& name, Shape shape, Location where) {
  return leaf(std::make_shared<const Input>(name, std::move(shape)), name, where);
}

namespace {
void check_variable(std::string_view kind, std::string_view name, const Shape& shape, const Location& where) {
  if (!shape.is_constant())
    throw Error(
        fmt::format("{} '{}' at {}: shape {} holds the batch; what outlives a run cannot depend on it", kind,
                    name, to_string(where), to_string(shape)));
}
}  // namespace

Expr Graph::parameter(const std::string& name, Shape shape, Initializer initializer, Location where) {
  check_variable("parameter", name, shape, place(where));
  return leaf(std::make_shared<const Variable>(name, std::move(shape), std::move(initializer), true), name,
              where);
}

Expr Graph::state(const std::string& name, Shape shape, Initializer initializer, Location where) {
  check_variable("state", name, shape, place(where));
  return leaf(std::make_shared<const Variable>(name, std::move(shape), std::move(initializer), false), name,
              where);
}

Expr Graph::constant(const Extents& shape, std::vector<double> values, Location where) {
  if (is_empty(Shape(shape)) || element_count(shape) != static_cast<std::int64_t>(values.size()))
    throw Error(fmt::format("constant at {}: {} values do not fill the shape {}", to_string(place(where)),
                            values.size(), to_string(shape)));
  return {*this, append(std::make_shared<const Constant>(shape, std::move(values)), {}, Shape(shape), where)};
}

Expr Graph::full(const Shape& shape, double value, Location where) {
  return {*this, append(std::make_shared<const Full>(shape, value), {}, shape, where)};
}

Expr Graph::full(const Shape& shape, Dim value, Location where) {
  if (value.is_constant()) return full(shape, static_cast<double>(value.constant()), where);
  return {*this, append(std::make_shared<const Full>(shape, value), {}, shape, where)};
}

Expr Graph::name(const Expr& expr, std::string label) {
  Node& node = nodes_[static_cast<std::size_t>(expr.id())];
  if (node.label.empty()) node.label = std::move(label);
  return expr;
}

Expr Graph::find(std::string_view name) {
  if (const auto found = by_name_.find(std::string(name)); found != by_name_.end())
    return {*this, found->second};
  std::vector<std::string_view> names;
  for (const auto& [label, id] : by_name_) names.push_back(label);
  std::ranges::sort(names);
  throw Error(fmt::format("the graph has no input, parameter or state '{}'; it has: {}", name,
                          names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

std::vector<Expr> Graph::parameters() {
  std::vector<Expr> found;
  for (NodeId id = 0; id < size(); ++id) {
    const auto* variable = dynamic_cast<const Variable*>((*this)[id].op.get());
    if (variable != nullptr && variable->trainable) found.push_back(expr(id));
  }
  return found;
}

NodeId Graph::append(OpPtr op, std::vector<NodeId> inputs, Shape shape, Location where) {
  const Traits traits = op->traits();
  if (traits.commutative && inputs.size() == 2 && inputs[0] > inputs[1]) std::swap(inputs[0], inputs[1]);
  std::size_t hash = op->hash();
  for (const NodeId input : inputs) hash = hash_combine(hash, static_cast<std::size_t>(input));
  if (!traits.impure) {
    make_room();
    for (std::size_t at = first_place(hash); by_hash_[at].id >= 0; at = next_place(at)) {
      if (by_hash_[at].hash != hash) continue;
      const Node& node = (*this)[by_hash_[at].id];
      // Equal op on equal inputs: the shape follows.
      if (node.inputs == inputs && node.op->same_as(*op)) return by_hash_[at].id;
    }
  }
  const NodeId id = size();
  nodes_.push_back({std::move(op), std::move(inputs), std::move(shape), {}, place(where)});
  if (!traits.impure) enter({hash, id});
  return id;
}

void Graph::enter(Entry entry) {
  std::size_t at = first_place(entry.hash);
  while (by_hash_[at].id >= 0) at = next_place(at);
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
  const std::string label = node.label.empty() ? fmt::format("{}#{}", node.op->name(), id) : node.label;
  return fmt::format("{} {}", label, to_string(node.shape));
}

namespace {
// The first known place: with a scope open, the scope's.
Location place_of(const Graph& graph, std::span<const Arg> operands) {
  const auto known = std::ranges::find_if(operands, [](const Arg& a) { return a.where.known(); });
  return graph.place(known == operands.end() ? Location() : known->where);
}

}  // namespace

void fail(std::string_view op, std::span<const Arg> operands, std::string_view reason) {
  std::vector<std::string> texts;
  Location where = operands.empty() ? Location() : operands.front().where;
  for (const Arg& operand : operands) {
    if (operand.expr.is_node()) {
      const Graph& graph = operand.expr.graph();
      if (texts.empty() || !where.known()) where = place_of(graph, operands);
      texts.push_back(graph.describe(operand.expr.id()));
    } else {
      texts.push_back(operand.expr.is_literal() ? fmt::format("{}", operand.expr.literal()) : "nothing");
    }
  }
  throw Error(fmt::format("{} at {}: {}: {}", op, to_string(where), reason, fmt::join(texts, ", ")));
}

Graph& graph_of(std::string_view op, std::span<const Arg> operands) {
  const auto node = std::ranges::find_if(operands, [](const Arg& a) { return a.expr.is_node(); });
  if (node == operands.end()) fail(op, operands, "at least one operand must be a node of a graph");
  return node->expr.graph();
}

Expr make_node(OpPtr op, std::span<const Arg> operands) {
  Graph& graph = graph_of(op->name(), operands);
  std::vector<NodeId> inputs;
  std::vector<const Shape*> shapes;
  for (const Arg& operand : operands) {
    if (operand.expr.is_null())
      fail(op->name(), operands, "an operand is empty (it stands for no gradient path)");
    if (operand.expr.is_literal()) fail(op->name(), operands, "a bare number has no shape here");
    if (&operand.expr.graph() != &graph) fail(op->name(), operands, "the operands come from two graphs");
    inputs.push_back(operand.expr.id());
    shapes.push_back(&operand.expr.shape());
  }
  Shape shape;
  try {
    shape = op->infer(InputShapes(shapes));
  } catch (const Error& error) {
    fail(op->name(), operands, error.what());
  }
  if (is_empty(shape))
    fail(op->name(), operands, fmt::format("the result {} has an extent below 1", to_string(shape)));
  return {graph, graph.append(std::move(op), std::move(inputs), std::move(shape), place_of(graph, operands))};
}

}  // namespace gradus
