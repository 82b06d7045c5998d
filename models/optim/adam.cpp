#include "gradus/optim/adam.hpp"

#include <cmath>
#include <string_view>

#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/exponential.hpp"
#include "gradus/ops/optimizer_step.hpp"
#include "gradus/ops/power.hpp"

namespace gradus {

namespace {

void check_moments(std::string_view name, double beta1, double beta2, double epsilon, Location where) {
  detail::check_setting(beta1 >= 0 && beta1 < 1, name, "beta1, which must be in [0, 1),", beta1, where);
  detail::check_setting(beta2 >= 0 && beta2 < 1, name, "beta2, which must be in [0, 1),", beta2, where);
  detail::check_setting(epsilon >= 0, name, "epsilon, which must not be negative,", epsilon, where);
}

// The number of this step, from 1 on.
Expr count(ParameterStep& step) {
  const Expr before = step.shared("step");
  const Expr t = before + 1;
  step.set(before, t);
  return t;
}

struct Moments {
  Expr m;  ///< the average gradient
  Expr v;  ///< and its square
};

Moments moments(ParameterStep& step, double beta1, double beta2) {
  const Expr m = step.slot("m"), v = step.slot("v");
  const Moments next{moving_average(m, step.gradient, beta1), moving_square(v, step.gradient, beta2)};
  step.set(m, next.m);
  step.set(v, next.v);
  return next;
}

// 1 − βᵗ, without the cancellation that costs half of a float's digits in the first steps.
Expr correction(double beta, const Expr& t) { return -expm1(t * std::log(beta)); }

}  // namespace

Optimizer adam(const AdamOptions& options, Location where) {
  check_moments("adam", options.beta1, options.beta2, options.epsilon, where);
  return {"adam", options.rate,
          [options](ParameterStep& step) {
            const bool keras = options.epsilon_form == AdamOptions::Epsilon::keras;
            const Expr t = count(step);
            const Expr root2 = sqrt(correction(options.beta2, t));
            const Expr rate = step.rate * root2 / correction(options.beta1, t);
            const Expr m = step.slot("m"), v = step.slot("v");
            // √v̂ + ε = (√v + ε·root2) / root2.
            const Expr epsilon = keras ? Expr(options.epsilon) : options.epsilon * root2;
            const AdamStep next =
                adam_step(step.parameter, m, v, step.gradient, rate, epsilon, options.beta1, options.beta2);
            step.set(m, next.m);
            step.set(v, next.v);
            return next.w;
          },
          where};
}

std::vector<Update> adam(const Expr& loss, const AdamOptions& options, Location where) {
  return adam(options, where)(loss, where);
}

std::vector<Update> adam(const std::vector<Expr>& parameters, const std::vector<Expr>& gradients,
                         const AdamOptions& options, Location where) {
  return adam(options, where)(parameters, gradients, where);
}

Optimizer adamw(const AdamWOptions& options, Location where) {
  return adam(options.adam, where).decay_weights(options.decay, where);
}

Optimizer nadam(const NadamOptions& options, Location where) {
  check_moments("nadam", options.beta1, options.beta2, options.epsilon, where);
  detail::check_setting(options.momentum_decay >= 0, "nadam",
                        "the momentum decay, which must not be negative,", options.momentum_decay, where);
  return {"nadam", options.rate,
          [options](ParameterStep& step) {
            const Expr t = count(step);
            const auto momentum = [&](const Expr& at) {
              return options.beta1 * (1 - 0.5 * exp(at * (options.momentum_decay * std::log(0.96))));
            };
            const Expr now = momentum(t), next = momentum(t + 1);
            const Expr product_before = step.shared("momentum_product", 1);
            const Expr product = product_before * now;
            step.set(product_before, product);
            const auto [m, v] = moments(step, options.beta1, options.beta2);
            const Expr root2 = sqrt(correction(options.beta2, t));
            const Expr direction =
                (1 - now) / (1 - product) * step.gradient + next / (1 - product * next) * m;
            return adaptive_step(step.parameter, direction, v, step.rate * root2, options.epsilon * root2);
          },
          where};
}

}  // namespace gradus
