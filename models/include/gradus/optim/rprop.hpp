#pragma once

#include "gradus/optim/optimizer.hpp"

namespace GRADUS_PUBLIC gradus {

/// Settings of `rprop`.
struct RpropOptions {
  double initial_step = 0.01;   ///< of every parameter
  double decrease = 0.5;        ///< factor where the sign of a gradient changed
  double increase = 1.2;        ///< factor where it did not
  double smallest_step = 1e-6;  ///< the lower bound
  double largest_step = 50;     ///< the upper bound
};

/// Steps by the gradient's sign alone; each parameter's step grows while the sign stays and shrinks, without
/// a step, where it changes. PyTorch's form (iRprop−; C. Igel, M. Hüsken, "Improving the Rprop learning
/// algorithm", 2000). For whole batches; it has no learning rate.
Optimizer rprop(const RpropOptions& options = {}, Location where = Location::current());

}  // namespace gradus
