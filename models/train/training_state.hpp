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
#include "models/train/model_identity.hpp"
#include "models/train/position.hpp"

namespace gradus {

/// The saved states of the callbacks that have one, by their index and name: "2/early_stopping".
using CallbackStates = std::vector<std::pair<std::string, NamedValues>>;

/// The state of a training between two steps, except for the values of its store. A checkpoint holds both, so
/// that a resumed training continues bit for bit.
struct TrainingState {
  /// The state before the first step. The seed determines all random numbers of the training.
  TrainingState(std::uint64_t seed, ModelIdentity model);

  /// Goes to the beginning of the first epoch and clears the history. The generator is not reset: a second
  /// `fit` shuffles differently from the first.
  void start(std::int64_t samples, std::int64_t batch, bool shuffle, std::size_t scores);
  /// Error unless a training of these samples and batches can go on from this position.
  void require_same(std::int64_t samples, std::int64_t batch, bool shuffle) const;
  /// Remembers what tells the data from others; Error when the training was resumed and that differs.
  void use_data(std::string identity);
  /// Loads the states in the checkpoint into these callbacks, if the training was resumed. Error when a
  /// callback has no state there, or a state has no callback.
  void restore(const Callbacks& resumed_callbacks) const;
  /// The current states of the callbacks.
  CallbackStates callback_states() const;

  std::uint64_t seed;
  ModelIdentity model;
  std::string data;                  ///< of the latest `fit`, or of the checkpoint: see use_data
  std::vector<std::string> remarks;  ///< for the history of the next `fit`
  bool is_running = false;           ///< whether a `fit` is under way
  Random shuffler;                   ///< draws the order of each epoch
  Position position;
  History history;
  Callbacks callbacks;                       ///< of the latest `fit`
  std::optional<CallbackStates> resumed;     ///< callbacks' states in a checkpoint, until `fit` loads them
  std::map<std::string, std::string> notes;  ///< the user's texts, written into every file
};

}  // namespace gradus
