#include "gradus/nn/linear.hpp"

#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/matmul.hpp"

namespace gradus {

Expr linear(const Expr& x, std::int64_t units, const std::string& name, const LinearOptions& options,
            Location where) {
  const Arg operand(x, where);
  Graph& graph = graph_of("linear '" + name + "'", {&operand, 1});
  const Graph::Scope scope(graph, where);
  if (x.shape().rank() != 2) fail("linear '" + name + "'", {&operand, 1}, "the input must be [B, features]");
  const Expr product = matmul(x, graph.parameter(name + "/W", {x.shape()[1], units}, options.weights));
  return named(options.has_bias ? product + graph.parameter(name + "/b", {units}, options.bias) : product,
               name);
}

}  // namespace gradus
