#pragma once

#include <vector>

#include "gradus/compile/options.hpp"
#include "gradus/graph/graph.hpp"

namespace GRADUS_PUBLIC gradus {

/// What a graph is built for, training or inference: two graphs of one model, over one store. Layers that
/// differ between both ask it, and tell it what a training step sets besides the parameters.
class Mode {
 public:
  /// What a graph is built for.
  enum Purpose { training, inference };
  /// For a graph that is built with this purpose.
  explicit Mode(Purpose purpose) : purpose_(purpose) {}

  /// Whether the graph is to be trained.
  bool is_training() const { return purpose_ == training; }

  /// After each training step `state` shall hold `value`: a running mean. Ignored for inference.
  void update(const Expr& state, const Expr& value);

  /// The state of the graph's random layers, "random/generator" [4], for `random_uniform`: a key from the
  /// store's seed, and a count that each training step advances, so that a store's values say all about it.
  Expr generator(Graph& graph);

  /// To be handed to `compile` beside the optimizer's.
  const std::vector<Update>& updates() const { return updates_; }

 private:
  Purpose purpose_;
  Expr generator_;
  std::vector<Update> updates_;
};

}  // namespace gradus
