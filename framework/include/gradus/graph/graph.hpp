#pragma once

#include <deque>
#include <initializer_list>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gradus/base/error.hpp"
#include "gradus/graph/node.hpp"

namespace GRADUS_PUBLIC gradus {

/// A model as data: an append-only sequence of nodes in which every node comes after its inputs. Equal pure
/// nodes are one node. Nothing is ever changed or removed, so expressions stay valid as long as the graph,
/// which therefore can be neither copied nor moved. One thread at a time may build.
class Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// A value fed before each run. Names of inputs, parameters and state are unique: Error otherwise.
  Expr input(const std::string& name, Shape shape, Location where = Location::current());

  /// A value that a Store keeps and optimizers train; its shape is free of the batch. Without an initializer
  /// it starts at zero.
  Expr parameter(const std::string& name, Shape shape, Initializer initializer = {},
                 Location where = Location::current());

  /// A value that a Store keeps and that no optimizer trains: optimizer slots, counters, learning rates.
  Expr state(const std::string& name, Shape shape, Initializer initializer = {},
             Location where = Location::current());

  /// A state of one number that says how to train, such as a learning rate. A store that has it already must
  /// hold this number when the graph is first compiled: see `Store`. Error for NaN.
  Expr setting(const std::string& name, double value, Location where = Location::current());

  /// Says that each run of a program which trains must update this state, and each that reads it, too: the
  /// count of a random generator, a running mean. `compile` refuses one that does not.
  void require_update(const Expr& state, Location where = Location::current()) {
    required_updates_.push_back(state.id(where));
  }
  /// All of these states.
  const std::vector<NodeId>& required_updates() const { return required_updates_; }

  /// A tensor of numbers, row-major. Error when the count does not fit the shape.
  Expr constant(const Extents& shape, std::vector<double> values, Location where = Location::current());

  /// A number, or an extent that may hold the batch, in every element of a shape that may hold it, too.
  Expr full(const Shape& shape, double value, Location where = Location::current());
  Expr full(const Shape& shape, Dim value, Location where = Location::current());

  /// Names a node of this graph, for dumps and errors; the first name stays. Returns the same expression.
  Expr name(Arg expr, std::string label);

  /// Whether there is an input, parameter or state of this name.
  bool contains(const std::string& name) const { return by_name_.contains(name); }
  /// The leaf of this name; Error listing the names that exist when there is none.
  Expr find(std::string_view name, Location where = Location::current());

  /// All parameters, in the order of their creation.
  std::vector<Expr> parameters();

  /// Appends a node, or finds its equal. Operands and shapes must have been checked: use `make_node`.
  NodeId append(NodeContent content, std::vector<NodeId> inputs, Shape shape, Location where);
  /// All outputs of a node whose op has several, in order.
  std::vector<Expr> outputs(NodeId id);

  /// All nodes, taken out of a graph that is not used again.
  std::deque<Node> release() && { return std::move(nodes_); }

  /// How many nodes there are.
  NodeId size() const { return static_cast<NodeId>(nodes_.size()); }
  /// A node by its id.
  const Node& operator[](NodeId id) const { return nodes_[static_cast<std::size_t>(id)]; }
  /// A node by its id, as an expression.
  Expr expr(NodeId id) { return {*this, id}; }

  /// "x [B, 784]", or "relu#7 [B, 128]" for a node without a name.
  std::string describe(NodeId id) const;

  /// While it lives, new nodes carry this line instead of their own: a layer's nodes carry the user's line.
  class Scope {
   public:
    /// Begins the scope.
    Scope(Graph& graph, Location where);
    ~Scope() { graph_.scope_ = outer_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Graph& graph_;
    Location outer_;
  };
  /// Parameters and states, of any graphs.
  using Variables = std::set<std::shared_ptr<const Variable>>;

  /// While it lives, a parameter or state of a name, shape and kind that `own` has is that one, not a new one
  /// and not an Error; new ones are added to `own`. See `Shared`.
  class Sharing {
   public:
    /// Begins the sharing; `own` must outlive it.
    Sharing(Graph& graph, Variables& own) : graph_(graph), outer_(graph.shared_) { graph.shared_ = &own; }
    ~Sharing() { graph_.shared_ = outer_; }
    Sharing(const Sharing&) = delete;
    Sharing& operator=(const Sharing&) = delete;

   private:
    Graph& graph_;
    Variables* outer_;
  };
  /// The line that a new node carries, given its own.
  Location line(Location own) const { return scope_.known() ? scope_ : own; }

 private:
  // An entry of an open hash table, at most half full. (std's chains of nodes took a quarter of the time in
  // which a large graph is compiled.)
  struct Entry {
    std::size_t hash = 0;
    NodeId id = -1;
  };

  Expr leaf(NodeContent content, const std::string& name, Shape shape, Location where);
  Expr variable(Variable variable, Shape shape, Location where);
  std::size_t first_slot(std::size_t hash) const { return (hash ^ hash >> 32U) & (by_hash_.size() - 1); }
  std::size_t next_slot(std::size_t slot) const { return (slot + 1) & (by_hash_.size() - 1); }
  void require_extents(const Node& node) const;
  void enter(Entry entry);
  void make_room();

  std::deque<Node> nodes_;  // a deque: references stay valid while nodes are appended
  std::vector<Entry> by_hash_;
  NodeId hashed_ = 0;  // how many entries are taken
  std::unordered_map<std::string, NodeId> by_name_;
  std::vector<NodeId> required_updates_;
  Variables* shared_ = nullptr;  // variables that may be asked for again
  Location scope_;
};

/// Names a node; see Graph::name.
inline Expr named(Arg expr, std::string label) {
  return graph_of("named", {&expr, 1}).name(expr, std::move(label));
}

}  // namespace gradus
