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

struct ModelGraph;  // gradus/train/model.hpp

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
  virtual bool has_rate() const = 0;
  virtual void set_rate(double rate) = 0;
  /// From now on the rate is at most this, whatever it is set to, by a schedule or by anybody else.
  virtual void limit_rate(double most) = 0;

  /// Parameters and running means, without the optimizer's slots.
  virtual NamedValues weights() const = 0;
  virtual void set_weights(const NamedValues& weights) = 0;
  /// The gradient of the loss by each parameter, with the weights as they are, over the first batch of the
  /// epoch at hand. It costs about a step, and once its compilation.
  virtual NamedValues gradients() = 0;
  /// The graph of the training.
  virtual const ModelGraph& graph() const = 0;

  /// Leaves out the step at hand, whose samples then count in no score: for `on_not_finite`.
  virtual void skip_step() = 0;
  /// Sets all values, rates and slots among them, to those at a mark from which at least one step was finite:
  /// of the beginning of an epoch, or at most 64 steps ago. The position stays. For `on_not_finite`, since
  /// what makes a step go wrong is often what an earlier one wrote.
  virtual void go_back() = 0;
  /// Adds a sentence to `History::remarks`.
  virtual void remark(std::string text) = 0;
  /// Ends the training after this step or epoch.
  virtual void stop(std::string reason) = 0;
  /// The same, and the training has failed.
  virtual void fail(std::string reason) = 0;
  /// Writes a checkpoint once all callbacks have had their turn, so that it holds what they then remember.
  virtual void save_checkpoint(const std::string& path) = 0;
  /// Writes the weights alone, with the model's notes.
  virtual void save_weights(const std::string& path) = 0;

 protected:
  ~Training() = default;
};

/// A hook that is called in the course of a training, as in Keras. Derive from it, or use those in
/// callbacks.hpp. One whose state belongs to one training derives from `PerFit`, so that it can be used for
/// many.
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
  /// Whether these two may use parameters or other values, or end the training: then all values are known to
  /// be finite after each step; else after each 64 steps and at the end of an epoch, which is faster.
  virtual bool sees_values() const { return wants_steps(); }
  virtual void on_step_begin(Training&) {}
  virtual void on_step_end(Training&) {}
  virtual void on_epoch_end(Training&) {}
  virtual void on_train_end(Training&) {}
  /// A step would make a value that is not finite; `where` says at which node of the graph and on which line.
  /// Nothing of it is kept: all values are those before the step. Returns whether the training has been
  /// steered (`skip_step`, or `set_rate` to do the step once more, or `fail`); when no callback does, `fit`
  /// throws an Error.
  virtual bool on_not_finite(Training&, const std::string& /*where*/) { return false; }

  /// The object that is called in place of this one in a `fit` that begins; null for this object itself.
  virtual std::shared_ptr<Callback> for_fit() const { return nullptr; }

  /// The state of the callback, which a checkpoint holds so that a resumed training continues in the same
  /// way: a name, and values. A callback without a state has an empty name.
  virtual std::string name() const { return {}; }
  virtual NamedValues save() const { return {}; }
  virtual void load(const NamedValues&) {}
};

/// A callback whose state belongs to one training: each `fit` makes a copy of the object as it was made,
/// calls that, and gives it the state in the checkpoint if it was resumed. So it is as new in every fit, be
/// they one after the other, in turns or one within another. Derive as in `class Mine final : public
/// PerFit<Mine>`.
template <class Self> class PerFit : public Callback {
 public:
  std::shared_ptr<Callback> for_fit() const final {
    return std::make_shared<Self>(static_cast<const Self&>(*this));
  }
};

/// In the order in which they are called.
using Callbacks = std::vector<std::shared_ptr<Callback>>;

}  // namespace gradus
