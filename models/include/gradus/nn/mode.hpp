#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gradus/compile/options.hpp"
#include "gradus/graph/graph.hpp"

namespace GRADUS_PUBLIC gradus {

/// Training or inference. A model is built as one graph for each, with the variables in one store. Layers
/// that behave differently, such as dropout, ask the mode, and register with it the state that a training
/// step updates besides the parameters.
class Mode {
 public:
  /// The purpose of a graph.
  enum Purpose { training, inference };
  /// A mode for building one graph. Error, naming both lines, when a layer of another graph is to register
  /// something with it, even if the first graph is gone.
  explicit Mode(Purpose purpose) : purpose_(purpose) {}

  /// Whether the graph is to be trained.
  bool is_training() const { return purpose_ == training; }

  /// Sets `state`, such as a running mean, to `value` after each training step: a program that trains the
  /// graph must have this update, see `Graph::require_update`. Ignored for inference. Error, naming both
  /// lines, when the state has an update already.
  void update(const Expr& state, const Expr& value, Location where = Location::current());
  /// The same for a layer that may be applied several times, as by `shared`: `next` is given what the state
  /// will be after the updates registered before, at first the state itself, and says what follows.
  template <std::invocable<const Expr&> Next>
  void update(const Expr& state, Next next, Location where = Location::current()) {
    update_by(state, std::move(next), where);
  }

  /// The state of the graph's random layers, "random/generator" [4], for `random_uniform`. It is a key from
  /// the store's seed, and a count that each training step advances, so that a store's values say all about
  /// it.
  Expr generator(Graph& graph, Location where = Location::current());
  /// The stream of random numbers of a layer, for `random_uniform`. Error, naming both lines, when a layer of
  /// this mode has the name already: the two would draw the same numbers.
  std::int64_t stream(const std::string& name, const Arg& operand);

  /// The registered updates, to be passed to `compile` together with the optimizer's.
  const std::vector<Update>& updates() const { return updates_; }

 private:
  void update_by(const Expr& state, const std::function<Expr(const Expr&)>& next, Location where);
  void require_own(const Graph& graph, Location where) const;
  Update* find(const Expr& state, Location where);
  void add(const Expr& state, const Expr& value, Location where);

  Purpose purpose_;
  // The first state of its graph that was registered: while it is held, no other one has its address.
  NodeContent first_;
  NodeId first_id_ = -1;  // -1 before there is one
  Location served_;       // the line of its layer
  Expr generator_;
  std::vector<Update> updates_;
  std::map<std::string, Location> streams_;  // by the layer's name
};

}  // namespace gradus
