#include "gradus/nn/mode.hpp"

#include "gradus/base/random.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/comparison.hpp"
#include "gradus/ops/random_uniform.hpp"
#include "gradus/ops/where.hpp"

namespace gradus {

void Mode::update(const Expr& state, const Expr& value, Location where) {
  if (!is_training()) return;
  updates_.push_back({state, value});
  state.graph(where).require_update(state);
}

std::int64_t Mode::stream(const std::string& name, const Arg& operand) {
  const auto [found, is_new] = streams_.emplace(name, operand.where);
  if (!is_new)
    fail("dropout '" + name + "'", {&operand, 1},
         "the layer at " + to_string(found->second) +
             " has this name, too, so that both would draw the same numbers; give each a name of its own");
  return static_cast<std::int64_t>(stream_of(name));
}

Expr Mode::generator(Graph& graph) {
  if (!generator_.is_null()) return generator_;
  constexpr auto limb = static_cast<double>(generator_limit);
  const auto key = [](const Extents&, std::uint64_t seed, std::span<double> values) {
    Random random(seed);
    for (double& value : values.first(2))
      value = static_cast<double>(random.below(static_cast<std::uint64_t>(generator_limit)));
    values[2] = values[3] = 0;
  };
  generator_ = graph.state("random/generator", {4}, key);
  // Two counts with periods that share no divisor: 2^48 steps, and no carry.
  const Expr next = generator_ + graph.constant({4}, {0, 0, 1, 1});
  const Expr end = graph.constant({4}, {limb, limb, limb, limb - 1});
  update(generator_, where(next < end, next, 0));
  return generator_;
}

}  // namespace gradus
