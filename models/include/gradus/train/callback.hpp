#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gradus/train/history.hpp"

namespace GRADUS_PUBLIC gradus {

/// Named lists of numbers: parameters by name, or what a callback remembers.
using NamedValues = std::map<std::string, std::vector<double>, std::less<>>;

/// A training under way, as callbacks see and steer it.
class Training {
 public:
  virtual std::int64_t epoch() const = 0;   ///< the epoch at hand, from 0
  virtual std::int64_t epochs() const = 0;  ///< how many there are to be
  virtual std::int64_t step() const = 0;    ///< steps done in this epoch
  virtual std::int64_t steps() const = 0;   ///< an epoch
  /// The loss of the last step.
  virtual double loss() const = 0;
  /// Means over the epoch so far; with "val_…" at its end.
  virtual const Scores& scores() = 0;
  virtual const History& history() const = 0;
  virtual double training_seconds() const = 0;    ///< of the epoch so far
  virtual double validation_seconds() const = 0;  ///< of the epoch, at its end

  /// The learning rate; Error for an optimizer without one. Of `groups`, it is that of the first group whose
  /// rate is not zero to begin with; setting it scales all of them, so that they keep the ratios with which
  /// the optimizer was made (as PyTorch's schedulers do).
  virtual double rate() const = 0;
  virtual void set_rate(double rate) = 0;

  /// Parameters and running means, without the optimizer's slots.
  virtual NamedValues weights() const = 0;
  virtual void set_weights(const NamedValues& weights) = 0;

  /// Ends the training after this step or epoch.
  virtual void stop(std::string reason) = 0;
  /// The same, and the training has failed.
  virtual void fail(std::string reason) = 0;
  /// Writes a checkpoint once all callbacks have had their turn, so that it holds what they then remember.
  virtual void save_checkpoint(const std::string& path) = 0;
  /// Writes the weights alone, with the model's notes.
  virtual void save_weights(const std::string& path) = 0;

  /// Remembers all values, so that `find_nan` can go back to them.
  virtual void mark() = 0;
  /// Goes back to the mark and repeats the steps up to where a value stops being finite: says which node of
  /// the graph that is. The weights are then those before that step.
  virtual std::string find_nan() = 0;

 protected:
  ~Training() = default;
};

/// A hook that is called in the course of a training, as in Keras. Derive from it, or use those in
/// callbacks.hpp.
class Callback {
 public:
  virtual ~Callback() = default;

  /// Before the first epoch.
  virtual void on_train_begin(Training&) {}
  /// Before each epoch.
  virtual void on_epoch_begin(Training&) {}
  /// These two are called only where `wants_steps` says so. The first must depend on epoch and step alone: it
  /// is called again for a step that is repeated.
  virtual bool wants_steps() const { return false; }
  virtual void on_step_begin(Training&) {}
  virtual void on_step_end(Training&) {}
  virtual void on_epoch_end(Training&) {}
  virtual void on_train_end(Training&) {}

  /// The state of the callback, which a checkpoint holds so that a resumed training continues in the same
  /// way: a name, and values. A callback without a state has an empty name.
  virtual std::string name() const { return {}; }
  virtual NamedValues save() const { return {}; }
  virtual void load(const NamedValues&) {}
};

/// In the order in which they are called.
using Callbacks = std::vector<std::shared_ptr<Callback>>;

}  // namespace gradus
