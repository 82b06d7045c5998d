#pragma once

#include "gradus/optim/optimizer.hpp"

namespace GRADUS_PUBLIC gradus {

/// Settings of `sgd`.
struct SgdOptions {
  double rate = 0.01;     ///< learning rate
  double momentum = 0;    ///< v ← momentum · v − rate · g; w ← w + v
  bool nesterov = false;  ///< w ← w + momentum · v − rate · g, with the new v
};

/// w ← w − rate · g, in Keras's form with momentum: PyTorch's is the same while the rate does not change.
/// Error for a momentum outside [0, 1).
Optimizer sgd(const SgdOptions& options = {}, Location where = Location::current());
std::vector<Update> sgd(const Expr& loss, const SgdOptions& options = {},
                        Location where = Location::current());
std::vector<Update> sgd(const std::vector<Expr>& parameters, const std::vector<Expr>& gradients,
                        const SgdOptions& options = {}, Location where = Location::current());

}  // namespace gradus
