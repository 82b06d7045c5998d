#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gradus/inspect/node_values.hpp"
#include "gradus/runtime/store.hpp"
#include "gradus/train/model.hpp"
#include "models/train/programs.hpp"

namespace gradus {

/// Keeps values that are not finite out of a training. A training gives the same bits whenever it is
/// repeated, so a step that went wrong is found, and undone, by going back to a mark and repeating the steps
/// from there; only that one is then looked at node by node.
template <class T> class NanReplay {
 public:
  /// The graph must outlive it. The store must have its variables, and keep them.
  NanReplay(const ModelGraph& training, Store<T> store);

  /// Remembers all values of the store, as they are before this step.
  void mark(std::int64_t step);
  /// Says that a step since the mark was finite.
  void confirm() { is_confirmed_ = true; }
  /// Goes back to the latest mark that was confirmed; to the first one if there is none.
  void go_back();
  /// The step of the latest mark.
  std::int64_t marked() const { return step_; }

  /// Goes back to the latest mark.
  void rewind();

  /// Whether all that a step updates is finite. A variable that was infinite at the mark may stay so, but NaN
  /// is no value for any: what is NaN at the mark is a fault that is found now.
  bool wrote_finite() const;
  /// Says of a step that is about to be run which node of the training graph is the first that will not be
  /// finite. Nothing when every node is finite as it is computed by itself.
  std::optional<std::string> trace(const Step<T>& step) const;

 private:
  void restore(const std::vector<std::vector<T>>& from);
  std::string text_of(std::span<const std::uint32_t> rows, const Point& point,
                      const std::string& trace) const;

  const ModelGraph& training_;
  Store<T> store_;
  std::vector<std::string> names_;      // of all variables
  std::vector<std::vector<T>> marked_;  // as many
  std::vector<std::vector<T>> good_;    // at the latest mark before that was confirmed; or empty
  bool is_confirmed_ = false;
  std::vector<std::span<const T>> updated_;
  std::vector<std::span<const T>> finite_, infinite_;  // as they were at the mark; `finite_` has those of NaN
  std::int64_t step_ = 0;
};

}  // namespace gradus
