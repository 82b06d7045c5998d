#include "framework/check/gradient_suspects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "framework/check/gradient_jacobian.hpp"
#include "framework/check/gradient_system.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/graph/node.hpp"
#include "gradus/graph/op.hpp"

namespace gradus {

namespace {

// Comparisons, above which a few are sampled.
constexpr std::size_t most_in_full = 2500;

GradientCheckOptions quick(GradientCheckOptions options) {
  options.mode = GradientCheckOptions::Mode::fast;
  options.directions = 8;
  options.samples = 40;
  options.progress = nullptr;
  return options;
}

// An op in a graph of its own, its inputs being leaves.
struct LoneOp {
  Graph graph;
  std::vector<Expr> inputs;
  Expr output;
  std::vector<Expr> reached;
  std::vector<Expr> not_reached;

  LoneOp(const Node& node, const Graph& from) {
    std::vector<Arg> operands;
    const Node& applied = applied_by(node, from);
    for (const NodeId input : applied.inputs) {
      inputs.push_back(graph.input(name_of(inputs.size(), input, from), from[input].shape));
      operands.emplace_back(inputs.back(), Location());
    }
    output = make_nodes(std::get<OpPtr>(applied.content),
                        operands)[node.output() == nullptr ? 0 : node.output()->index];
    reached = gradient_leaves(output);
    for (const Expr& input : inputs)
      if (std::ranges::none_of(reached, [&](const Expr& leaf) { return leaf.same_as(input); }))
        not_reached.push_back(input);
  }

  // The node of the op, for one of its several outputs.
  static const Node& applied_by(const Node& node, const Graph& from) {
    return node.output() == nullptr ? node : from[node.inputs.front()];
  }

  static std::string name_of(std::size_t number, NodeId input, const Graph& from) {
    return fmt::format("input {} ({})", number, from.describe(input));
  }

  // The same values and no gradient: a wish, not an oversight.
  bool stops_gradients() const { return graph[output.id()].view && reached.empty(); }
};

class Suspects {
 public:
  Suspects(std::int64_t batch, const GradientCheckOptions& options)
      : batch_(batch), options_(quick(options)), progress_(options.progress) {}

  void look_at(std::span<const Expr> exprs, const Point& point, int order) {
    const NodeValues all = evaluate_nodes(exprs, point, batch_);
    for (NodeId id = 0; id < all.graph->size(); ++id) {
      if (progress_ != nullptr)
        (*progress_)({"suspects", static_cast<std::size_t>(id), static_cast<std::size_t>(all.graph->size())});
      const Node& node = (*all.graph)[id];
      if (node.inputs.empty() || node.tuple) continue;
      LoneOp op(node, *all.graph);
      if (op.stops_gradients()) continue;
      Point at;
      const std::vector<NodeId>& inputs = LoneOp::applied_by(node, *all.graph).inputs;
      for (std::size_t i = 0; i < inputs.size(); ++i)
        at[LoneOp::name_of(i, inputs[i], *all.graph)] = all.values[static_cast<std::size_t>(inputs[i])];
      const std::string why = what_is_wrong(op, at, order);
      // One line per line of the user's source.
      const std::string where = node.where.known() ? " at " + to_string(node.where) : "";
      const std::string_view name = LoneOp::applied_by(node, *all.graph).name();
      if (!why.empty() && seen_.insert(fmt::format("{}{}", name, where)).second)
        found.push_back(fmt::format("{}{}: {}", all.graph->describe(id), where, why));
    }
  }

  std::vector<std::string> found;

 private:
  std::string what_is_wrong(const LoneOp& op, Point& at, int order) const {
    std::string why;
    if (!op.reached.empty()) why = check({op.output}, op.reached, at, 1);
    if (why.empty() && !op.not_reached.empty()) {
      try {
        why = check({op.output}, op.not_reached, at, 0);
      } catch (const Error&) {
        // An index, which cannot be moved.
      }
    }
    if (why.empty() && order >= 2 && !op.reached.empty())
      why = check(pulled_back(op.output, op.reached, batch_, options_.seed, at), op.reached, at, 2);
    return why;
  }

  // Order 0: there is no gradient; kinks and steps are no reason to miss it.
  std::string check(const std::vector<Expr>& outputs, const std::vector<Expr>& wrt, const Point& at,
                    int order) const {
    const GradientSystem system(outputs, wrt, at, batch_);
    GradientCheckOptions options = options_;
    if (system.entry_count() * system.output_count() <= most_in_full)
      options.mode = GradientCheckOptions::Mode::full;
    for (const CheckedTensor& t : check_jacobian(system, options, order)) {
      if (t.failures > 0) {
        // Rather an entry than a direction.
        const auto entry =
            std::ranges::find_if(t.failed, [](const CheckedEntry& e) { return e.what.ends_with(']'); });
        const CheckedEntry& shown = entry == t.failed.end() ? t.worst : *entry;
        return fmt::format(
            "its own {}gradient with respect to {} is {:.15g} at {}, but differences say {:.15g}",
            order == 2 ? "second " : "", t.name, shown.analytic, shown.what, shown.numeric);
      }
      if (!t.ok && order > 0)
        return fmt::format("{} of {} differences {}, as with respect to {} at {}",
                           t.kinks > 0 ? t.kinks : t.unsettled, t.nonzero,
                           t.kinks > 0 ? "are at a kink" : "do not settle", t.name,
                           t.kinks > 0 ? t.kink_at : t.unsettled_at);
    }
    return {};
  }

  std::int64_t batch_;
  GradientCheckOptions options_;
  const OnCheckProgress* progress_;
  std::set<std::string> seen_;
};

// The leaves on which the expression depends, but for paths that are meant to stop gradients.
std::vector<Expr> leaves_meant(const Expr& expr) {
  Graph& graph = expr.graph();
  std::set<NodeId> needed{expr.id()};
  std::vector<Expr> leaves;
  // In order of ids, from the largest: a node comes after its inputs.
  while (!needed.empty()) {
    const NodeId id = *needed.rbegin();
    needed.erase(id);
    const Node& node = graph[id];
    if (node.identity() != nullptr) leaves.push_back(graph.expr(id));
    if (node.inputs.empty() || (node.view && LoneOp(node, graph).stops_gradients())) continue;
    needed.insert(node.inputs.begin(), node.inputs.end());
  }
  return leaves;
}

}  // namespace

std::vector<std::string> find_suspects(const Expr& expr, std::span<const Expr> gradients, const Point& point,
                                       std::int64_t batch, const GradientCheckOptions& options) {
  Suspects suspects(batch, options);
  suspects.look_at({&expr, 1}, point, options.order);
  if (!gradients.empty()) suspects.look_at(gradients, point, 1);
  return suspects.found;
}

CheckedProperty forgotten_leaves(const Expr& expr, std::span<const Expr> reached, const Point& point,
                                 std::int64_t batch, const GradientCheckOptions& options) {
  CheckedProperty property{"gradient path", true, ""};
  for (const Expr& leaf : leaves_meant(expr)) {
    if (std::ranges::any_of(reached, [&](const Expr& r) { return r.same_as(leaf); })) continue;
    try {
      for (const CheckedTensor& t :
           check_jacobian(GradientSystem({expr}, {leaf}, point, batch), quick(options), 1))
        if (t.failures > 0)
          return {property.name, false,
                  fmt::format(
                      "no gradient reaches '{}', but the value moves with it: by {:.6g} at {}; if that is "
                      "meant, use stop_gradient, or name the leaves to check",
                      t.name, t.worst.numeric, t.worst.what)};
    } catch (const Error&) {
      // Labels and other indices cannot be moved.
    }
  }
  return property;
}

}  // namespace gradus
