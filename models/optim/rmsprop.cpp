#include "gradus/optim/rmsprop.hpp"

#include <cmath>

#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/optimizer_step.hpp"
#include "gradus/ops/power.hpp"

namespace gradus {

Optimizer rmsprop(const RmspropOptions& options, Location where) {
  detail::check_setting(options.smoothing >= 0 && options.smoothing < 1, "rmsprop",
                        "the smoothing, which must be in [0, 1),", options.smoothing, where);
  detail::check_setting(options.momentum >= 0 && options.momentum < 1, "rmsprop",
                        "the momentum, which must be in [0, 1),", options.momentum, where);
  detail::check_setting(options.epsilon >= 0, "rmsprop", "epsilon, which must not be negative,",
                        options.epsilon, where);
  return {"rmsprop", options.rate,
          [options](ParameterStep& step) {
            const auto remember = [&](const Expr& slot, const Expr& next) {
              step.set(slot, next);
              return next;
            };
            const Expr& g = step.gradient;
            Expr variance;
            if (options.centered) {
              // The moving average of g² less the square of that of g: by a rule of its own, as the
              // difference would lose its digits and its sign.
              const double root = std::sqrt(options.smoothing);
              const Expr mean = step.slot("mean"), v = step.slot("variance");
              variance = remember(v, moving_square(v, root * (g - mean), options.smoothing));
              remember(mean, moving_average(mean, g, options.smoothing));
            } else {
              const Expr v = step.slot("v");
              variance = remember(v, moving_square(v, g, options.smoothing));
            }
            if (options.momentum == 0)
              return adaptive_step(step.parameter, g, variance, step.rate, options.epsilon);
            const Expr scaled = adaptive_step(0, g, variance, -1, options.epsilon);
            const Expr buffer = step.slot("buffer");
            return sgd_step(step.parameter, remember(buffer, options.momentum * buffer + scaled), step.rate);
          },
          where};
}

}  // namespace gradus
