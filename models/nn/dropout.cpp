#include "gradus/nn/dropout.hpp"

#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/comparison.hpp"
#include "gradus/ops/random_uniform.hpp"
#include "gradus/ops/where.hpp"

namespace gradus {

Expr dropout(const Expr& x, double rate, const std::string& name, Mode& mode, Location where) {
  const Arg operand(x, where);
  Graph& graph = graph_of("dropout '" + name + "'", {&operand, 1});
  const Graph::Scope scope(graph, where);
  if (!(rate >= 0 && rate < 1))
    fail("dropout '" + name + "'", {&operand, 1}, "the rate must be in [0, 1), not " + std::to_string(rate));
  if (rate == 0 || !mode.is_training()) return x;
  const std::int64_t stream = mode.stream(name, operand);
  const Expr drawn = random_uniform(mode.generator(graph), stream, x.shape());
  return named(gradus::where(drawn >= rate, x * (1 / (1 - rate)), 0), name);
}

}  // namespace gradus
