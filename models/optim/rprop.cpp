#include "gradus/optim/rprop.hpp"

#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/comparison.hpp"
#include "gradus/ops/extremum.hpp"
#include "gradus/ops/where.hpp"

namespace gradus {

Optimizer rprop(const RpropOptions& options, Location where) {
  detail::check_setting(options.decrease > 0 && options.decrease < 1, "rprop",
                        "the decrease, which must be in (0, 1),", options.decrease, where);
  detail::check_setting(options.increase > 1, "rprop", "the increase, which must be above 1,",
                        options.increase, where);
  detail::check_setting(options.smallest_step > 0 && options.smallest_step <= options.largest_step, "rprop",
                        "the smallest step, which must be above 0 and at most the largest,",
                        options.smallest_step, where);
  detail::check_setting(options.initial_step > 0, "rprop", "the initial step, which must be above 0,",
                        options.initial_step, where);
  return Optimizer("rprop", [options](ParameterStep& step) {
    const Expr& g = step.gradient;
    const Expr before = step.slot("gradient"), length = step.slot("step", options.initial_step);
    const auto sign = [](const Expr& x) { return (x > 0) - (x < 0); };
    const Expr agreement = sign(g) * sign(before);
    const Expr factor =
        gradus::where(agreement > 0, options.increase, gradus::where(agreement < 0, options.decrease, 1));
    const Expr next_length = clip(length * factor, options.smallest_step, options.largest_step);
    const Expr used = gradus::where(agreement < 0, 0, g);
    step.set(before, used);
    step.set(length, next_length);
    return step.parameter - next_length * sign(used);
  });
}

}  // namespace gradus
