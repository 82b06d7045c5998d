#include "gradus/autodiff/gradient.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "framework/autodiff/add.hpp"
#include "framework/graph/by_id.hpp"
#include "gradus/graph/op.hpp"

namespace gradus {

namespace {

// The function that the user called, and the line.
struct Call {
  std::string_view what;
  Location where;

  [[noreturn]] void fail(std::initializer_list<Expr> exprs, std::string_view reason) const {
    std::vector<Arg> operands;
    for (const Expr& expr : exprs) operands.emplace_back(expr, where);
    gradus::fail(what, operands, reason);
  }
};

// The graph of all these expressions; an error if there is none, or more than one.
Graph& common_graph(const Call& call, std::span<const Expr> outputs, std::span<const Expr> wrt,
                    std::span<const Expr> directions) {
  if (outputs.empty())
    throw Error(fmt::format("{} at {}: there is nothing to differentiate", call.what, to_string(call.where)));
  Graph* graph = nullptr;
  for (const auto& exprs : {outputs, wrt, directions})
    for (const Expr& expr : exprs) {
      const Arg pair[] = {{outputs.front(), call.where}, {expr, call.where}};
      graph = &common_graph_of(call.what, expr.same_as(outputs.front()) ? std::span(pair, 1) : pair);
    }
  return *graph;
}

void check_pairs(const Call& call, std::span<const Expr> values, std::span<const Expr> directions) {
  if (values.size() != directions.size())
    call.fail({values.empty() ? directions.front() : values.front()},
              fmt::format("there are {} values but {} directions", values.size(), directions.size()));
  for (std::size_t i = 0; i < values.size(); ++i)
    if (directions[i].shape() != values[i].shape())
      call.fail({values[i], directions[i]}, "the direction must have the value's shape");
}

// One reverse sweep. Cotangents are kept by node; those of an op's several outputs lie with its Output nodes.
class Sweep {
 public:
  // Tells for every node whether it depends on one of `wrt`: ids are in topological order, so one pass does.
  Sweep(Graph& graph, std::span<const Expr> wrt)
      : graph_(graph), wrt_(wrt), depends_(graph.size()), cotangents_(graph.size()) {
    for (const Expr& w : wrt) depends_[w.id()] = true;
    for (NodeId id = 0; id < graph.size(); ++id)
      for (const NodeId input : graph[id].inputs)
        if (depends_[input]) depends_[id] = true;
  }

  // The cotangents of `wrt`, given those of outputs; null where there is no path. Outputs may be null, too.
  std::vector<Expr> run(std::span<const Expr> outputs, std::span<const Expr> cotangents) {
    for (std::size_t i = 0; i < outputs.size(); ++i)
      if (!outputs[i].is_null()) add(outputs[i].id(), cotangents[i]);
    for (auto id = static_cast<NodeId>(depends_.size()) - 1; id >= 0; --id) {
      if (!depends_[id] || cotangents_[id].is_null()) continue;
      // An op is visited after its Outputs, which have greater ids; what it gets from them is a mark alone.
      if (graph_[id].output() != nullptr)
        cotangents_[graph_[id].source()] = cotangents_[id];
      else if (graph_[id].op() != nullptr)
        propagate(id);
    }
    return cotangents_of(wrt_);
  }

 private:
  void add(NodeId id, const Expr& value) { cotangents_[id] = accumulate(cotangents_[id], value); }

  std::vector<Expr> cotangents_of(std::span<const Expr> exprs) const {
    std::vector<Expr> found;
    for (const Expr& expr : exprs) found.push_back(cotangents_[expr.id()]);
    return found;
  }

  // Runs one op's reverse rule and adds what it yields to the cotangents of the op's inputs.
  void propagate(NodeId id) {
    const Op& op = *graph_[id].op();
    const std::vector<NodeId>& operands = graph_[id].inputs;
    if (std::ranges::none_of(operands, [&](NodeId input) { return depends_[input]; })) return;
    const std::size_t arity = operands.size();
    std::vector<Expr> inputs;
    inputs.reserve(arity);
    const auto wanted = std::make_unique<bool[]>(arity);
    for (std::size_t i = 0; i < arity; ++i) {
      inputs.push_back(graph_.expr(operands[i]));
      wanted[i] = depends_[operands[i]];
    }
    const Graph::Scope scope(graph_, graph_[id].where);
    const std::vector<Expr> outputs =
        op.traits().outputs == 1 ? std::vector{graph_.expr(id)} : graph_.outputs(id);
    const std::vector<Expr> pulled = cotangents_of(outputs);
    const auto yielded =
        op.vjp({inputs, outputs, pulled, std::span(&wanted[0], arity), outputs.front(), pulled.front()});
    if (yielded.size() != arity)
      fail_of(id, fmt::format("the reverse rule yields {} cotangents for {} inputs", yielded.size(), arity));
    for (std::size_t i = 0; i < arity; ++i)
      if (wanted[i] && !yielded[i].is_null()) add(operands[i], checked(id, i, yielded[i]));
  }

  [[noreturn]] void fail_of(NodeId id, const std::string& reason) {
    const Arg node(graph_.expr(id), graph_[id].where);
    fail(graph_[id].name(), {&node, 1}, reason);
  }

  Expr checked(NodeId id, std::size_t i, const Expr& yielded) {
    const Shape& shape = graph_[graph_[id].inputs[i]].shape;
    if (yielded.is_literal()) return graph_.full(shape, yielded.literal());
    if (yielded.shape() != shape)
      fail_of(id, fmt::format("the reverse rule yields a cotangent of shape {} for input {} of shape {}",
                              to_string(yielded.shape()), i, to_string(shape)));
    return yielded;
  }

  Graph& graph_;
  std::span<const Expr> wrt_;
  ById<bool> depends_;
  ById<Expr> cotangents_;
};

std::vector<Expr> zeros_for_null(Graph& graph, std::vector<Expr> found, std::span<const Expr> like) {
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i].is_null()) found[i] = graph.full(like[i].shape(), 0.0, Location());
  return found;
}

}  // namespace

std::vector<Expr> vjp(std::span<const Expr> outputs, std::span<const Expr> cotangents,
                      std::span<const Expr> wrt, Location where) {
  const Call call{"vjp", where};
  Graph& graph = common_graph(call, outputs, wrt, cotangents);
  check_pairs(call, outputs, cotangents);
  return zeros_for_null(graph, Sweep(graph, wrt).run(outputs, cotangents), wrt);
}

std::vector<Expr> grad(const Expr& loss, std::span<const Expr> wrt, Location where) {
  const Call call{"grad", where};
  Graph& graph = common_graph(call, {&loss, 1}, wrt, {});
  if (loss.shape().rank() != 0)
    call.fail({loss}, "the loss must be a scalar; reduce it with sum or mean, or give vjp a cotangent");
  const Expr one = graph.full({}, 1.0, Location());
  return zeros_for_null(graph, Sweep(graph, wrt).run({&loss, 1}, {&one, 1}), wrt);
}

Expr grad(const Expr& loss, const Expr& wrt, Location where) { return grad(loss, {&wrt, 1}, where).front(); }

std::vector<Expr> jvp(std::span<const Expr> outputs, std::span<const Expr> wrt,
                      std::span<const Expr> tangents, Location where) {
  const Call call{"jvp", where};
  Graph& graph = common_graph(call, outputs, wrt, tangents);
  check_pairs(call, wrt, tangents);
  // A stand-in for the cotangents: the first vjp is linear in them, so the second does not contain them.
  std::vector<Expr> stand_ins;
  for (const Expr& output : outputs)
    stand_ins.push_back(graph.expr(
        graph.append(std::make_shared<const Input>(Input{"cotangent"}), {}, output.shape(), Location())));
  const auto pulled = Sweep(graph, wrt).run(outputs, stand_ins);
  return zeros_for_null(graph, Sweep(graph, stand_ins).run(pulled, tangents), outputs);
}

std::vector<Expr> hvp(const Expr& loss, std::span<const Expr> wrt, std::span<const Expr> tangents,
                      Location where) {
  const auto gradients = grad(loss, wrt, where);
  return vjp(gradients, tangents, wrt, where);
}

}  // namespace gradus
