#include "gradus/optim/sgd.hpp"

#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/optimizer_step.hpp"

namespace gradus {

Optimizer sgd(const SgdOptions& options, Location where) {
  const auto [rate, momentum, nesterov] = options;
  detail::check_setting(momentum >= 0 && momentum < 1, "sgd", "the momentum, which must be in [0, 1),",
                        momentum, where);
  return {"sgd", rate,
          [momentum = momentum, nesterov = nesterov](ParameterStep& step) {
            const Expr &w = step.parameter, &g = step.gradient, &rate = step.rate;
            if (momentum == 0) return sgd_step(w, g, rate);
            const Expr v = step.slot("velocity");
            const Expr next = momentum * v - rate * g;
            step.set(v, next);
            return nesterov ? w + (momentum * next - rate * g) : w + next;
          },
          where};
}

std::vector<Update> sgd(const Expr& loss, const SgdOptions& options, Location where) {
  return sgd(options, where)(loss, where);
}

std::vector<Update> sgd(const std::vector<Expr>& parameters, const std::vector<Expr>& gradients,
                        const SgdOptions& options, Location where) {
  return sgd(options, where)(parameters, gradients, where);
}

}  // namespace gradus
