#pragma once

#include <cstdint>
#include <optional>

#include "gradus/train/callback.hpp"
#include "gradus/train/dataset.hpp"

namespace GRADUS_PUBLIC gradus {

/// How `fit` goes about it.
template <class T> struct FitOptions {
  std::int64_t epochs = 1;  ///< passes over the data
  std::int64_t batch = 32;  ///< the last of an epoch is smaller, if need be
  bool shuffle = true;      ///< each epoch in another order, from the trainer's seed
  /// The last part of the data, taken before any shuffling, is kept for validation (Keras's meaning: training
  /// has the first ⌊n · (1 − split)⌋ samples).
  double validation_split = 0;
  std::optional<Dataset<T>> validation = std::nullopt;  ///< data of its own instead
  Callbacks callbacks = {};
  bool verbose = true;        ///< a progress bar on the standard output
  bool drop_last = false;     ///< leave out the last samples of an epoch where they are fewer than a batch
  int threads = 1;            ///< of a step and of scores: see CompileOptions
  bool reproducible = false;  ///< the same bits everywhere, predictions too: see CompileOptions
};

}  // namespace gradus
