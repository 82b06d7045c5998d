#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gradus/base/location.hpp"
#include "gradus/graph/shape.hpp"

namespace GRADUS_PUBLIC gradus {

class Graph;
class Op;

/// An op, shared by the nodes that apply it.
using OpPtr = std::shared_ptr<const Op>;

/// A node's place in its graph; ids are a topological order.
using NodeId = std::int32_t;

template <class N>
concept Number = std::is_arithmetic_v<N>;

/// A value to be computed: a node of a graph, a literal (a number without a graph, which takes the shape of
/// the other operand), or null ("no gradient path"). Cheap to copy; valid as long as its graph.
class Expr {
 public:
  Expr() = default;
  /// A literal.
  template <Number N> Expr(N literal) : literal_(static_cast<double>(literal)), is_literal_(true) {}
  /// A node of a graph.
  Expr(Graph& graph, NodeId id) : graph_(&graph), id_(id) {}

  /// Whether it is a node of a graph.
  bool is_node() const { return graph_ != nullptr; }
  /// Whether it is a bare number.
  bool is_literal() const { return is_literal_; }
  /// Whether there is nothing: no gradient path.
  bool is_null() const { return !is_node() && !is_literal_; }

  /// These three are for nodes; Error with the line of the call otherwise.
  Graph& graph(Location where = Location::current()) const;
  NodeId id(Location where = Location::current()) const;
  const Shape& shape(Location where = Location::current()) const;

  /// The number of a literal.
  double literal() const { return literal_; }

  /// The same node, or literals of the same value; not an elementwise comparison (see `equal`).
  bool same_as(const Expr& other) const {
    return graph_ == other.graph_ && id_ == other.id_ && is_literal_ == other.is_literal_ &&
           (literal_ == other.literal_ || !is_literal_);
  }

 private:
  Graph* graph_ = nullptr;
  NodeId id_ = -1;
  double literal_ = std::numeric_limits<double>::quiet_NaN();
  bool is_literal_ = false;
};

/// A builder's argument: an expression or a number, with the line on which the user wrote it.
struct Arg {
  /// An expression or a number, with the place of the call.
  template <class V>
  requires(std::same_as<V, Expr> || Number<V>) Arg(V value, Location at = Location::current())
      : expr(value), where(at) {}
  /// An expression with a line that is known already.
  Arg(Expr value, Location at) : expr(value), where(at) {}

  Expr expr;       ///< what was given
  Location where;  ///< on which line
};

/// Reports a mistake made in building: "op at model.cpp:12: reason: x [B, 784], W [783, 128]".
[[noreturn]] void fail(std::string_view op, std::span<const Arg> operands, std::string_view reason);

/// The graph of those operands that are nodes; fails without one, for nothing, and for two graphs.
Graph& graph_of(std::string_view op, std::span<const Arg> operands);
/// The graph of operands that must all be nodes; fails as `graph_of` does, and for a number.
Graph& common_graph_of(std::string_view op, std::span<const Arg> operands);

/// Appends a node for `op` on exactly these operands. All must be nodes of one graph; shapes are inferred and
/// checked. Error names the op, the line, and every operand with its shape.
Expr make_node(OpPtr op, std::span<const Arg> operands);

/// Appends a node for an op of several outputs, as `make_node` does: an expression for each.
std::vector<Expr> make_nodes(OpPtr op, std::span<const Arg> operands);

/// The op that an expression applies; null for a leaf and for one output of several.
const Op* op_of(const Expr& expr);

}  // namespace gradus
