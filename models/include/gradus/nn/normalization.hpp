#pragma once

#include <string>

#include "gradus/nn/mode.hpp"

namespace GRADUS_PUBLIC gradus {

/// Options of `layer_norm`.
struct LayerNormOptions {
  double epsilon = 1e-3;  ///< Keras's; PyTorch's is 1e-5
  bool scale = true;      ///< has gamma
  bool shift = true;      ///< has beta
};

/// (x − mean) / √(variance + ε) · gamma + beta with the mean and the variance of each row, over the last
/// axis; parameters "<name>/gamma" (ones) and "<name>/beta" (zeros). J. L. Ba, J. R. Kiros, G. E. Hinton,
/// "Layer normalization", 2016. The result is NaN where the squares leave the type, in float beyond
/// differences of 1e19; the mean is rounded as any number of the type. Error for a scalar, or a last axis
/// that holds the batch.
Expr layer_norm(const Expr& x, const std::string& name, const LayerNormOptions& options = {},
                Location where = Location::current());

/// Options of `batch_norm`.
struct BatchNormOptions {
  double epsilon = 1e-3;   ///< Keras's; PyTorch's is 1e-5
  double momentum = 0.99;  ///< of the running mean and variance; what PyTorch calls 0.01
  bool scale = true;       ///< whether a factor is trained
  bool shift = true;       ///< whether a summand is trained
};

/// (x − mean) / √(variance + ε) · gamma + beta per feature, along the last axis: of the batch or, at
/// inference, running ones. In training, the mean and the (biased) variance are the batch's; the running ones
/// are state "<name>/mean" and "<name>/variance", which each training step moves to
/// momentum · running + (1 − momentum) · the batch's. Parameters as of `layer_norm`. Keras's form: PyTorch's
/// running variance takes the unbiased one. NaN as of `layer_norm`. S. Ioffe, C. Szegedy, "Batch
/// normalization", 2015.
Expr batch_norm(const Expr& x, const std::string& name, Mode& mode, const BatchNormOptions& options = {},
                Location where = Location::current());

}  // namespace gradus
