#include "gradus/models/optimizers.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "gradus/models/initializers.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/descent.hpp"
#include "gradus/ops/exponential.hpp"
#include "gradus/ops/power.hpp"

namespace gradus {

namespace {

Graph& graph_of(const std::vector<Expr>& parameters, const std::vector<Expr>& gradients,
                std::string_view optimizer) {
  if (parameters.empty() || parameters.size() != gradients.size())
    throw Error(
        fmt::format("{}: {} parameters and {} gradients; there must be as many of both, and at least one",
                    optimizer, parameters.size(), gradients.size()));
  return parameters.front().graph();
}

// Also refuses NaN.
void check(bool holds, std::string_view optimizer, std::string_view what, double value) {
  if (!holds) throw Error(fmt::format("{}: {} is {}", optimizer, what, value));
}

Expr slot(Graph& graph, std::string_view kind, const Expr& parameter) {
  return graph.state(fmt::format("{}/{}", kind, graph[parameter.id()].label), parameter.shape());
}

}  // namespace

std::vector<Update> sgd(const std::vector<Expr>& parameters, const std::vector<Expr>& gradients,
                        const SgdOptions& options, Location where) {
  Graph& graph = graph_of(parameters, gradients, "sgd");
  const Graph::Scope scope(graph, where);
  check(options.rate >= 0 && std::isfinite(options.rate), "sgd", "the learning rate", options.rate);
  check(options.momentum >= 0 && options.momentum < 1, "sgd", "the momentum, which must be in [0, 1),",
        options.momentum);
  const Expr rate = graph.state("sgd/rate", {}, constant(options.rate));
  std::vector<Update> updates;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Expr &w = parameters[i], &g = gradients[i];
    if (options.momentum == 0) {
      updates.push_back({w, descend(w, g, rate)});
      continue;
    }
    const Expr v = slot(graph, "sgd/velocity", w);
    const Expr next = options.momentum * v - rate * g;
    updates.push_back({v, next});
    updates.push_back({w, options.nesterov ? w + (options.momentum * next - rate * g) : w + next});
  }
  return updates;
}

std::vector<Update> sgd(const Expr& loss, const SgdOptions& options, Location where) {
  const auto parameters = loss.graph().parameters();
  return sgd(parameters, grad(loss, parameters), options, where);
}

std::vector<Update> adam(const std::vector<Expr>& parameters, const std::vector<Expr>& gradients,
                         const AdamOptions& options, Location where) {
  Graph& graph = graph_of(parameters, gradients, "adam");
  const Graph::Scope scope(graph, where);
  check(options.rate >= 0 && std::isfinite(options.rate), "adam", "the learning rate", options.rate);
  check(options.beta1 >= 0 && options.beta1 < 1, "adam", "beta1, which must be in [0, 1),", options.beta1);
  check(options.beta2 >= 0 && options.beta2 < 1, "adam", "beta2, which must be in [0, 1),", options.beta2);
  check(options.epsilon >= 0, "adam", "epsilon", options.epsilon);
  const Expr rate = graph.state("adam/rate", {}, constant(options.rate));
  const Expr step = graph.state("adam/step", {});
  const Expr t = step + 1;
  // 1 − βᵗ, without the cancellation that costs half of a float's digits in the first steps.
  const auto correction = [&](double beta) { return -expm1(t * std::log(beta)); };
  const Expr correction1 = correction(options.beta1);
  const Expr root2 = sqrt(correction(options.beta2));
  const bool keras = options.epsilon_form == AdamOptions::Epsilon::keras;
  // With r = √(1 − β₂ᵗ): m / (√v / r + ε) = r · m / (√v + r · ε).
  const Expr scaled_rate = rate * root2 / correction1;
  const Expr epsilon = keras ? Expr(options.epsilon) : options.epsilon * root2;

  std::vector<Update> updates{{step, t}};
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Expr &w = parameters[i], &g = gradients[i];
    const Expr m = slot(graph, "adam/m", w), v = slot(graph, "adam/v", w);
    const Expr next_m = moving_average(m, g, options.beta1);
    const Expr next_v = moving_square(v, g, options.beta2);
    updates.push_back({m, next_m});
    updates.push_back({v, next_v});
    updates.push_back({w, adaptive_descend(w, next_m, next_v, scaled_rate, epsilon)});
  }
  return updates;
}

std::vector<Update> adam(const Expr& loss, const AdamOptions& options, Location where) {
  const auto parameters = loss.graph().parameters();
  return adam(parameters, grad(loss, parameters), options, where);
}

}  // namespace gradus
