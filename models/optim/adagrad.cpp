#include "gradus/optim/adagrad.hpp"

#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/optimizer_step.hpp"
#include "gradus/ops/power.hpp"

namespace gradus {

Optimizer adagrad(const AdagradOptions& options, Location where) {
  detail::check_setting(options.epsilon >= 0, "adagrad", "epsilon, which must not be negative,",
                        options.epsilon, where);
  detail::check_setting(options.initial >= 0, "adagrad",
                        "the initial sum of squares, which must not be negative,", options.initial, where);
  return {"adagrad", options.rate,
          [options](ParameterStep& step) {
            const Expr squares = step.slot("squares", options.initial);
            const Expr next = squares + square(step.gradient);
            step.set(squares, next);
            return adaptive_step(step.parameter, step.gradient, next, step.rate, options.epsilon);
          },
          where};
}

}  // namespace gradus
