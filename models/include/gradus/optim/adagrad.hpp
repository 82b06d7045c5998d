#pragma once

#include "gradus/optim/optimizer.hpp"

namespace GRADUS_PUBLIC gradus {

/// Settings of `adagrad`.
struct AdagradOptions {
  double rate = 0.01;      ///< learning rate
  double epsilon = 1e-10;  ///< keeps the divisor from zero
  double initial = 0;      ///< of the sums of squares
};

/// s ← s + g², w ← w − rate·g/(√s + ε), in PyTorch's form (Keras adds ε inside of the root). J. Duchi, E.
/// Hazan, Y. Singer, "Adaptive subgradient methods", 2011.
Optimizer adagrad(const AdagradOptions& options = {}, Location where = Location::current());

}  // namespace gradus
