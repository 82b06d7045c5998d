#pragma once

#include "gradus/optim/optimizer.hpp"

namespace GRADUS_PUBLIC gradus {

/// Settings of `rmsprop`.
struct RmspropOptions {
  double rate = 0.01;       ///< learning rate
  double smoothing = 0.99;  ///< decay of the average square
  double epsilon = 1e-8;    ///< keeps the divisor from zero
  double momentum = 0;      ///< b ← momentum·b + g/(√v + ε); w ← w − rate·b
  bool centered = false;    ///< v less the square of the gradient's average
};

/// v ← smoothing·v + (1−smoothing)·g², w ← w − rate·g/(√v + ε), in PyTorch's form, which adds ε outside of
/// the root, and with its defaults. T. Tieleman, G. Hinton, "Lecture 6.5: RMSProp", 2012. Error for a
/// smoothing or a momentum outside [0, 1).
Optimizer rmsprop(const RmspropOptions& options = {}, Location where = Location::current());

}  // namespace gradus
