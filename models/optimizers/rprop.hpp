#pragma once

#include "gradus/models/optimizers/optimizer.hpp"

namespace GRADUS_PUBLIC gradus {

struct RpropOptions {
  double initial_step = 0.01;
  double decrease = 0.5;
  double increase = 1.2;
  double smallest_step = 1e-6;
  double largest_step = 50;
};

/// Steps by the gradient's sign alone; each parameter's step grows while the sign stays and shrinks, without
/// a step, where it changes: PyTorch's form (iRprop−; C. Igel, M. Hüsken, "Improving the Rprop learning
/// algorithm", 2000). For whole batches; it has no learning rate.
Optimizer rprop(const RpropOptions& options = {});

}  // namespace gradus
