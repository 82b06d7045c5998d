#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gradus/data/option_error.hpp"
#include "gradus/train/tensorboard.hpp"
#include "gradus/train/trainer.hpp"

namespace GRADUS_PUBLIC gradus {

/// A training that ended before its time because somebody asked for it.
class Interrupted : public OptionError {
 public:
  using OptionError::OptionError;
};

/// The files that a training program reads and writes.
struct TrainingFiles {
  std::string weights = {};           ///< of the trained model (see Trainer::save_weights), or empty
  std::string history = {};           ///< .json or .csv, or empty
  std::string checkpoint = {};        ///< or empty
  std::int64_t checkpoint_steps = 0;  ///< also written every so many steps; needs `checkpoint`
  bool resume = false;                ///< go on from the checkpoint if there is one
  /// What else the training was asked for that a resumed one must have, too, by name: kept in the checkpoint.
  /// Error that names each that differs from the checkpoint's.
  std::map<std::string, std::string> options = {};
  /// A folder for TensorBoard, or empty. Histograms and matrices are written after every epochs / 100 epochs,
  /// rounded down, or after every one.
  std::string tensorboard = {};
  /// Told of weights and history after the training, each with the reason why it could not be written, or
  /// none. Without it there is an Error of all reasons, once all files have been tried.
  std::function<void(const std::string& file, const std::string& why)> on_file = {};
  /// Images for it, beside those that it has by default.
  std::function<std::vector<TensorboardImage>(Training&)> images = {};
  /// Asked after each step. Once it says yes, the training ends there: the checkpoint and the history are
  /// written, weights are not, and `run_training` throws Interrupted. A signal handler may set what it reads.
  std::function<bool()> interrupted = {};
};

/// OptionError where they need a checkpoint and name none.
void require_checkpoint(const TrainingFiles& files);

/// `fit` for programs: with these files, and with an Error that names the node where a loss stopped being
/// finite. OptionError, before anything is trained, for files that need others, for one file with two
/// purposes, and for a folder that cannot be written; Error for a file that cannot be.
template <class T>
History run_training(Trainer<T>& trainer, const Dataset<T>& data, FitOptions<T> options,
                     const TrainingFiles& files);

}  // namespace gradus
