#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gradus/runtime/store.hpp"
#include "gradus/train/model.hpp"
#include "models/train/programs.hpp"

namespace gradus {

/// Finds where in the graph a training's first value that is not finite came from. A training gives the same
/// bits whenever it is repeated, so nothing is watched while it runs: the steps since a mark are run again,
/// and only the last of them is looked at node by node.
template <class T> class NanReplay {
 public:
  /// Gets a step ready to be run again, as it was before: with its learning rate, its program and its rows.
  using BeginStep = std::function<Step<T>(std::int64_t step)>;

  /// Remembers all values of the store, as they are before this step.
  void mark(const Store<T>& store, std::int64_t step);

  /// Goes back to the mark and repeats the steps up to `bad`, whose loss was not finite: says which node of
  /// the training graph is the first that is not. The store then has the values before that step. Nothing
  /// when every node is finite as it is computed by itself.
  std::optional<std::string> find(const ModelGraph& training, Store<T>& store, std::int64_t bad,
                                  const BeginStep& begin_step) const;

 private:
  std::int64_t step_ = 0;
  std::vector<std::vector<T>> values_;  // in the order of the store's names
};

}  // namespace gradus
