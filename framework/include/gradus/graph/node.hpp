#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "gradus/base/location.hpp"
#include "gradus/graph/expr.hpp"
#include "gradus/graph/initializer.hpp"

namespace GRADUS_PUBLIC gradus {

struct Traits;

/// A leaf that is fed by the caller before a run. Equal only to itself.
struct Input {
  std::string name;  ///< by which it is fed
};

/// A leaf that outlives a run in a Store: a parameter, which optimizers train, or state (optimizer slots,
/// counters). Equal only to itself.
struct Variable {
  std::string name;         ///< in the store
  Initializer initializer;  ///< of its starting values; empty for zeros
  bool trainable = true;    ///< whether it is a parameter
  bool is_setting = false;  ///< a state that says how to train, such as a rate: what a graph asks for counts
};

/// A leaf: a tensor of numbers, kept in double until it is compiled.
struct Constant {
  std::vector<double> values;  ///< row-major
};

/// A leaf with the same number in every element. A `Dim` becomes a number once its symbols are bound: `mean`
/// divides by one.
struct Full {
  double value = 0;     ///< the number
  Dim dim = 0;          ///< instead, where it is a Dim
  bool is_dim = false;  ///< which of them

  /// The number.
  double resolve(const DimBindings& dims) const {
    return is_dim ? static_cast<double>(dim.resolve(dims)) : value;
  }
};

/// One output of an op that has several; the node's only input is the op's.
struct Output {
  std::size_t index = 0;  ///< which
};

/// The content of a node: an op applied to its inputs, one output of such an op, or a leaf.
using NodeContent = std::variant<OpPtr, Output, std::shared_ptr<const Input>, std::shared_ptr<const Variable>,
                                 std::shared_ptr<const Constant>, Full>;

/// One entry of a graph. The node of an op with several outputs has no value itself: its Outputs have, and
/// they follow it.
struct Node {
  NodeContent content;         ///< what it is
  std::vector<NodeId> inputs;  ///< the nodes that it reads, all of them earlier ones
  Shape shape;                 ///< of its value
  std::string label;           ///< the user's name for it, or empty
  Location where;              ///< the user's line
  bool tuple = false;          ///< its op has several outputs, so that it has no value itself
  bool view = false;           ///< its op is a view, by its traits
  bool broadcast = false;      ///< its op is a broadcast, by its traits

  /// The op that it applies; each of these is null where the node is something else.
  const Op* op() const {
    const auto* op = std::get_if<OpPtr>(&content);
    return op == nullptr ? nullptr : op->get();
  }
  const Output* output() const { return std::get_if<Output>(&content); }
  const Input* input() const { return leaf<Input>(); }
  const Variable* variable() const { return leaf<Variable>(); }
  const Constant* constant() const { return leaf<Constant>(); }
  const Full* full() const { return std::get_if<Full>(&content); }

  /// Tells an input or a variable from all others, in whatever graph it stands; null for other nodes.
  const void* identity() const {
    return variable() != nullptr ? static_cast<const void*>(variable()) : input();
  }
  /// The only input of a view, a broadcast or an Output.
  NodeId source() const { return inputs.front(); }
  /// Whether it is a leaf.
  bool is_leaf() const { return op() == nullptr && output() == nullptr; }
  /// Whether it is a leaf of one number.
  bool is_number() const { return full() != nullptr; }
  /// The op's name, or "input", "parameter", "state", "constant", "full", "output".
  std::string_view name() const;
  /// The op's traits; of anything else, the traits of nothing in particular.
  Traits traits() const;

 private:
  template <class Leaf> const Leaf* leaf() const {
    const auto* pointer = std::get_if<std::shared_ptr<const Leaf>>(&content);
    return pointer == nullptr ? nullptr : pointer->get();
  }
};

}  // namespace gradus
