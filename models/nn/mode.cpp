#include "gradus/nn/mode.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/base/error.hpp"
#include "gradus/base/random.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/comparison.hpp"
#include "gradus/ops/random_uniform.hpp"
#include "gradus/ops/where.hpp"

namespace gradus {

// What a mode holds lies in one graph, which may be gone by now, and another may lie where it lay: so a graph
// is known by a variable.
void Mode::require_own(const Graph& graph, Location where) const {
  if (first_id_ < 0) return;
  if (graph.size() <= first_id_ ||
      graph[first_id_].identity() != std::get<std::shared_ptr<const Variable>>(first_).get())
    throw Error(fmt::format(
        "mode at {}: it has served a layer of another graph, at {}; make a Mode for each graph that is built",
        to_string(graph.line(where)), to_string(served_)));
}

// The update that the state has, or null.
Update* Mode::find(const Expr& state, Location where) {
  const Graph& graph = state.graph(where);
  require_own(graph, where);
  const Arg operand(state, where);
  if (graph[state.id()].variable() == nullptr)
    fail("mode", {&operand, 1}, "only a state or a parameter can be updated");
  const auto found = std::ranges::find(updates_, state.id(), [](const Update& u) { return u.variable.id(); });
  return found == updates_.end() ? nullptr : &*found;
}

void Mode::add(const Expr& state, const Expr& value, Location where) {
  const Graph& graph = state.graph();
  if (first_id_ < 0) {
    first_ = graph[state.id()].content;
    first_id_ = state.id();
    served_ = graph.line(where);
  }
  updates_.push_back({state, value});
  state.graph().require_update(state, where);
}

void Mode::update(const Expr& state, const Expr& value, Location where) {
  if (!is_training()) return;
  if (const Update* before = find(state, where)) {
    const Arg operands[] = {{state, where}, {value, where}};
    const Expr& other = before->value;
    fail("mode", operands,
         fmt::format("the state has an update already{}; give each layer a state of its own, or register a "
                     "function of the state",
                     other.is_node() ? ", made at " + to_string(state.graph()[other.id()].where) : ""));
  }
  add(state, value, where);
}

void Mode::update_by(const Expr& state, const std::function<Expr(const Expr&)>& next, Location where) {
  if (!is_training()) return;
  if (Update* before = find(state, where))
    before->value = next(before->value);
  else
    add(state, next(state), where);
}

std::int64_t Mode::stream(const std::string& name, const Arg& operand) {
  require_own(graph_of("dropout '" + name + "'", {&operand, 1}), operand.where);
  const auto [found, is_new] = streams_.emplace(name, operand.where);
  if (!is_new)
    fail("dropout '" + name + "'", {&operand, 1},
         "the layer at " + to_string(found->second) +
             " has this name, too, so that both would draw the same numbers; give each a name of its own");
  return static_cast<std::int64_t>(stream_of(name));
}

Expr Mode::generator(Graph& graph, Location where) {
  require_own(graph, where);
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
  update(generator_, gradus::where(next < end, next, 0), where);
  return generator_;
}

}  // namespace gradus
