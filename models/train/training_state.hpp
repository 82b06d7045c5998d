#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gradus/base/random.hpp"
#include "gradus/train/callback.hpp"
#include "gradus/train/history.hpp"
#include "models/train/position.hpp"

namespace gradus {

/// What each callback that has a name remembers, by its place in the list and its name: "2/early_stopping".
using CallbackMemories = std::vector<std::pair<std::string, NamedValues>>;

/// What a training carries from step to step beside the values of its store. Both together are what a
/// checkpoint holds, and enough to go on bit for bit.
struct TrainingState {
  /// Before the first step; everything random in the training comes from the seed.
  explicit TrainingState(std::uint64_t seed);

  /// Begins at the first epoch, of so many samples, with empty sums of so many scores. The generator goes on:
  /// a second training sees other orders than the first.
  void start(std::int64_t samples, std::int64_t batch, bool shuffle, std::size_t scores);
  /// Error unless a training of these samples and batches can go on from this position.
  void require_same(std::int64_t samples, std::int64_t batch, bool shuffle) const;
  /// Gives the callbacks what those of the checkpoint remembered, if the training was resumed. Error when the
  /// checkpoint knows no such callback in its place.
  void restore(const Callbacks& resumed_callbacks) const;
  /// What the callbacks remember now.
  CallbackMemories memories() const;

  std::uint64_t seed;
  Random shuffler;  ///< draws the order of each epoch
  Position position;
  History history;
  Callbacks callbacks;                       ///< of the latest `fit`
  std::optional<CallbackMemories> resumed;   ///< from a checkpoint, until a `fit` goes on from it
  std::map<std::string, std::string> notes;  ///< the user's texts, written into every file
};

}  // namespace gradus
