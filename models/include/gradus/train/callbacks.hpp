#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "gradus/train/callback.hpp"
#include "gradus/train/progress.hpp"
#include "gradus/train/schedules.hpp"

/// All of these are as new in every `fit` that they are given to, see PerFit; one that is resumed goes on
/// from the checkpoint, and must then have the options with which that was made. Error for options that make
/// no sense, such as an empty function or a negative number of epochs.
namespace GRADUS_PUBLIC gradus {

/// Calls a function after every epoch.
std::shared_ptr<Callback> on_epoch_end(std::function<void(Training&)> action);
/// Calls a function before every epoch.
std::shared_ptr<Callback> on_epoch_begin(std::function<void(Training&)> action);

/// The direction in which a score improves. Automatic: larger for accuracies, smaller for all others.
enum class Better { automatic, smaller, larger };

/// Options of `early_stopping`.
struct EarlyStoppingOptions {
  std::string monitor = "val_loss";  ///< the score watched
  double min_delta = 0;              ///< a smaller change is no improvement
  std::int64_t patience =
      0;  ///< stops after so many epochs in a row without improvement (0 and 1: the first)
  Better better = Better::automatic;  ///< which way is up
  bool restore_best = true;           ///< ends with the weights of the best epoch
};
/// Stops when a score no longer improves, as Keras's EarlyStopping does.
std::shared_ptr<Callback> early_stopping(const EarlyStoppingOptions& options = {});

/// Options of `reduce_on_plateau`.
struct PlateauOptions {
  std::string monitor = "val_loss";   ///< the score watched
  double factor = 0.1;                ///< of the rate
  std::int64_t patience = 10;         ///< epochs without improvement
  double min_delta = 1e-4;            ///< a smaller change is no improvement
  std::int64_t cooldown = 0;          ///< epochs of rest after a reduction
  double min_rate = 0;                ///< the lower bound
  Better better = Better::automatic;  ///< which way is up
};
/// Multiplies the learning rate by a factor when a score no longer improves: Keras's ReduceLROnPlateau.
/// Error, when the training begins, for an optimizer without a rate.
std::shared_ptr<Callback> reduce_on_plateau(const PlateauOptions& options = {});

/// Options of `checkpoint`.
struct CheckpointOptions {
  std::int64_t every_epochs = 1;  ///< 0: not by epochs
  std::int64_t every_steps = 0;   ///< 0: only at the end of an epoch
};
/// Writes everything to a file from which `Trainer::resume` goes on. "{epoch}" in the path becomes the
/// number of epochs done. Atomic: see write_atomically.
std::shared_ptr<Callback> checkpoint(const std::string& path, const CheckpointOptions& options = {});

/// Options of `save_best`.
struct BestOptions {
  std::string monitor = "val_loss";   ///< the score watched
  Better better = Better::automatic;  ///< which way is up
};
/// Writes the weights whenever the score is the best so far.
std::shared_ptr<Callback> save_best(const std::string& path, const BestOptions& options = {});

/// A line for each epoch, as Keras's CSVLogger writes them. A resumed training goes on with the file as of
/// the checkpoint.
std::shared_ptr<Callback> csv_log(const std::string& path);

/// The answers to a step whose loss, or what it would write, is not finite.
enum class OnNan {
  stop,       ///< the training ends, and `History::stopped` says why
  skip_step,  ///< the step is left out
  /// The values of a few steps ago are taken up (see `Training::go_back`), with a lower rate, which a
  /// schedule does not exceed afterwards. Error, when the training begins, for an optimizer without a rate.
  lower_rate,
};
/// Options of `stop_on_nan`.
struct NanOptions {
  OnNan then = OnNan::stop;  ///< what is done
  double factor = 0.5;       ///< of the rate, in (0, 1)
  std::int64_t most = 10;    ///< after so many steps that were skipped or done again, it ends
};
/// Deals with a step that would write a NaN or an infinity. It is never written: the weights are those before
/// the step. `History` tells the node of the graph where it began and the user's line. Without this callback,
/// `fit` throws an Error that says the same.
std::shared_ptr<Callback> stop_on_nan(const NanOptions& options = {});

}  // namespace gradus
