#include "gradus/autodiff/gradient.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "framework/autodiff/add.hpp"
#include "gradus/graph/op.hpp"

namespace gradus {

namespace {

Graph& common_graph(std::span<const Expr> outputs, std::span<const Expr> others, std::string_view what) {
  if (outputs.empty()) throw Error(fmt::format("{}: there is nothing to differentiate", what));
  Graph& graph = outputs.front().graph();
  for (const auto& exprs : {outputs, others})
    for (const Expr& expr : exprs)
      if (&expr.graph() != &graph)
        throw Error(fmt::format("{}: {} is not in the graph of {}", what, expr.graph().describe(expr.id()),
                                graph.describe(outputs.front().id())));
  return graph;
}

void check_pairs(std::span<const Expr> values, std::span<const Expr> directions, std::string_view what) {
  if (values.size() != directions.size())
    throw Error(fmt::format("{}: {} values but {} directions", what, values.size(), directions.size()));
  for (std::size_t i = 0; i < values.size(); ++i)
    if (directions[i].shape() != values[i].shape())
      throw Error(fmt::format("{}: the direction has shape {}, not that of {}", what,
                              to_string(directions[i].shape()), values[i].graph().describe(values[i].id())));
}

NodeId last_id(std::span<const Expr> exprs) {
  NodeId last = -1;
  for (const Expr& expr : exprs) last = std::max(last, expr.id());
  return last;
}

// Tells for every node up to `last` whether it depends on one of `wrt`. Ids are in topological order: one
// sweep does.
std::vector<bool> dependents(const Graph& graph, std::span<const Expr> wrt, NodeId last) {
  std::vector<bool> depends(static_cast<std::size_t>(last) + 1, false);
  for (const Expr& w : wrt)
    if (w.id() <= last) depends[static_cast<std::size_t>(w.id())] = true;
  for (NodeId id = 0; id <= last; ++id)
    if (std::ranges::any_of(graph[id].inputs,
                            [&](NodeId in) { return depends[static_cast<std::size_t>(in)]; }))
      depends[static_cast<std::size_t>(id)] = true;
  return depends;
}

// One reverse sweep. Cotangents are kept by node; those of an op's several outputs lie with its Output nodes.
class Sweep {
 public:
  Sweep(Graph& graph, std::span<const Expr> outputs, std::span<const Expr> cotangents,
        std::span<const Expr> wrt)
      : graph_(graph), depends_(dependents(graph, wrt, last_id(outputs))), cotangents_(depends_.size()) {
    for (std::size_t i = 0; i < outputs.size(); ++i) add(outputs[i].id(), cotangents[i]);
  }

  void run() {
    for (auto id = static_cast<NodeId>(depends_.size()) - 1; id >= 0; --id) {
      if (!depends_[at(id)] || cotangents_[at(id)].is_null()) continue;
      // An op is visited after its Outputs, which have greater ids; what it gets from them is a mark alone.
      if (graph_[id].output() != nullptr)
        cotangents_[at(graph_[id].inputs.front())] = cotangents_[at(id)];
      else if (graph_[id].op() != nullptr)
        propagate(id);
    }
  }

  /// Null where there is no path.
  std::vector<Expr> take(std::span<const Expr> wrt) const {
    std::vector<Expr> found;
    for (const Expr& w : wrt) found.push_back(cotangent(w.id()));
    return found;
  }

 private:
  static std::size_t at(NodeId id) { return static_cast<std::size_t>(id); }
  Expr cotangent(NodeId id) const { return at(id) < cotangents_.size() ? cotangents_[at(id)] : Expr(); }
  void add(NodeId id, const Expr& value) { cotangents_[at(id)] = accumulate(cotangents_[at(id)], value); }

  // Runs one op's reverse rule and adds what it yields to the cotangents of the op's inputs.
  void propagate(NodeId id) {
    const Op& op = *graph_[id].op();
    const std::vector<NodeId> operands = graph_[id].inputs;
    const std::size_t arity = operands.size();
    std::vector<Expr> inputs;
    const auto wanted = std::make_unique<bool[]>(arity);
    for (std::size_t i = 0; i < arity; ++i) {
      inputs.push_back(graph_.expr(operands[i]));
      wanted[i] = depends_[at(operands[i])];
    }
    if (std::none_of(&wanted[0], &wanted[arity], [](bool w) { return w; })) return;

    const Graph::Scope scope(graph_, graph_[id].where);
    const std::vector<Expr> outputs =
        op.traits().outputs == 1 ? std::vector{graph_.expr(id)} : graph_.outputs(id);
    std::vector<Expr> pulled;
    pulled.reserve(outputs.size());
    for (const Expr& output : outputs) pulled.push_back(cotangent(output.id()));
    const auto yielded =
        op.vjp({inputs, outputs, pulled, std::span(&wanted[0], arity), outputs.front(), pulled.front()});
    if (yielded.size() != arity)
      throw Error(fmt::format("{}: the reverse rule yields {} cotangents for {} inputs", graph_.describe(id),
                              yielded.size(), arity));
    for (std::size_t i = 0; i < arity; ++i)
      if (wanted[i] && !yielded[i].is_null()) add(operands[i], checked(id, i, yielded[i]));
  }

  Expr checked(NodeId id, std::size_t i, const Expr& yielded) {
    const Shape& shape = graph_[graph_[id].inputs[i]].shape;
    if (yielded.is_literal()) return graph_.full(shape, yielded.literal());
    if (yielded.shape() != shape)
      throw Error(fmt::format("{}: the reverse rule yields a cotangent of shape {} for input {} of shape {}",
                              graph_.describe(id), to_string(yielded.shape()), i, to_string(shape)));
    return yielded;
  }

  Graph& graph_;
  std::vector<bool> depends_;
  std::vector<Expr> cotangents_;
};

// Like `vjp`, but null where there is no path.
std::vector<Expr> vjp_or_null(Graph& graph, std::span<const Expr> outputs, std::span<const Expr> cotangents,
                              std::span<const Expr> wrt) {
  Sweep sweep(graph, outputs, cotangents, wrt);
  sweep.run();
  return sweep.take(wrt);
}

std::vector<Expr> zeros_for_null(Graph& graph, std::vector<Expr> found, std::span<const Expr> like) {
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i].is_null()) found[i] = graph.full(like[i].shape(), 0.0, Location());
  return found;
}

}  // namespace

std::vector<Expr> vjp(std::span<const Expr> outputs, std::span<const Expr> cotangents,
                      std::span<const Expr> wrt) {
  Graph& graph = common_graph(outputs, wrt, "vjp");
  common_graph(outputs, cotangents, "vjp");
  check_pairs(outputs, cotangents, "vjp");
  return zeros_for_null(graph, vjp_or_null(graph, outputs, cotangents, wrt), wrt);
}

std::vector<Expr> grad(const Expr& loss, std::span<const Expr> wrt) {
  Graph& graph = common_graph({&loss, 1}, wrt, "grad");
  if (loss.shape().rank() != 0)
    throw Error(
        fmt::format("grad: the loss must be a scalar, but {} is not; reduce it with sum or mean, or "
                    "give vjp a cotangent",
                    graph.describe(loss.id())));
  const Expr one = graph.full({}, 1.0, Location());
  return zeros_for_null(graph, vjp_or_null(graph, {&loss, 1}, {&one, 1}, wrt), wrt);
}

Expr grad(const Expr& loss, const Expr& wrt) { return grad(loss, {&wrt, 1}).front(); }

std::vector<Expr> jvp(std::span<const Expr> outputs, std::span<const Expr> wrt,
                      std::span<const Expr> tangents) {
  Graph& graph = common_graph(outputs, wrt, "jvp");
  common_graph(outputs, tangents, "jvp");
  check_pairs(wrt, tangents, "jvp");
  // A stand-in for the cotangents: the first vjp is linear in them, so the second does not contain them.
  std::vector<Expr> stand_ins;
  for (const Expr& output : outputs)
    stand_ins.push_back(graph.expr(
        graph.append(std::make_shared<const Input>(Input{"cotangent"}), {}, output.shape(), Location())));
  const auto pulled = vjp_or_null(graph, outputs, stand_ins, wrt);
  std::vector<Expr> linear;
  std::vector<Expr> seeds;
  for (std::size_t i = 0; i < pulled.size(); ++i) {
    if (pulled[i].is_null()) continue;
    linear.push_back(pulled[i]);
    seeds.push_back(tangents[i]);
  }
  if (linear.empty()) return zeros_for_null(graph, std::vector<Expr>(outputs.size()), outputs);
  return zeros_for_null(graph, vjp_or_null(graph, linear, seeds, stand_ins), outputs);
}

std::vector<Expr> hvp(const Expr& loss, std::span<const Expr> wrt, std::span<const Expr> tangents) {
  const auto gradients = grad(loss, wrt);
  return vjp(gradients, tangents, wrt);
}

}  // namespace gradus
