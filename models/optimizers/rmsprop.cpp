#include "gradus/models/optimizers/rmsprop.hpp"

#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/power.hpp"

namespace gradus {

Optimizer rmsprop(const RmspropOptions& options) {
  detail::check_setting(options.smoothing >= 0 && options.smoothing < 1, "rmsprop",
                        "the smoothing, which must be in [0, 1),", options.smoothing);
  detail::check_setting(options.momentum >= 0 && options.momentum < 1, "rmsprop",
                        "the momentum, which must be in [0, 1),", options.momentum);
  detail::check_setting(options.epsilon >= 0, "rmsprop", "epsilon, which must not be negative,",
                        options.epsilon);
  return {"rmsprop", options.rate, [options](ParameterStep& step) {
            const auto average = [&](std::string_view kind, const Expr& value) {
              const Expr slot = step.slot(kind);
              const Expr next = options.smoothing * slot + (1 - options.smoothing) * value;
              step.set(slot, next);
              return next;
            };
            const Expr& g = step.gradient;
            Expr variance = average("v", square(g));
            if (options.centered) variance = variance - square(average("mean", g));
            const Expr scaled = g / (sqrt(variance) + options.epsilon);
            if (options.momentum == 0) return step.parameter - step.rate * scaled;
            const Expr buffer = step.slot("buffer");
            const Expr next = options.momentum * buffer + scaled;
            step.set(buffer, next);
            return step.parameter - step.rate * next;
          }};
}

}  // namespace gradus
