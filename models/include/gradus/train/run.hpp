#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gradus/train/tensorboard.hpp"
#include "gradus/train/trainer.hpp"

namespace GRADUS_PUBLIC gradus {

/// The files that a training program reads and writes.
struct TrainingFiles {
  std::string history;                ///< .json or .csv, or empty
  std::string checkpoint;             ///< or empty
  std::int64_t checkpoint_steps = 0;  ///< also written every so many steps
  bool resume = false;                ///< go on from the checkpoint if there is one
  std::string tensorboard;            ///< a folder for TensorBoard, or empty
  /// Images for it, beside those that it has by default.
  std::function<std::vector<TensorboardImage>(Training&)> images = {};
};

/// `fit` for programs: with these files, and with an Error that names the node where a loss stopped being
/// finite.
template <class T>
History run_training(Trainer<T>& trainer, const Dataset<T>& data, FitOptions<T> options,
                     const TrainingFiles& files);

}  // namespace gradus
