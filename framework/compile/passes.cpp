#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "framework/compile/program.hpp"
#include "gradus/graph/leaf.hpp"
#include "gradus/graph/op_definitions.hpp"

namespace gradus {

namespace {

// A folded tensor lives in memory for as long as the executable: larger ones are computed anew instead.
constexpr std::int64_t largest_folded = 4096;

// What is left of an op that changes no value, only the shape.
class Alias final : public ValueOp<Alias> {
 public:
  static constexpr std::string_view name = "alias";
  explicit Alias(Shape to) : shape(std::move(to)) {}
  auto attributes() const { return std::tuple(attribute("shape", shape)); }
  Traits traits() const override { return {.view = true}; }
  Shape infer(InputShapes) const override { return shape; }
  std::vector<Expr> vjp(const Vjp& v) const override { return no_gradient(v); }
  Kernel<float> kernel(const Signature&, float) const override { return {}; }
  Kernel<double> kernel(const Signature&, double) const override { return {}; }

  Shape shape;
};

const Op& op_of(const Graph& graph, NodeId id) { return *graph[id].op; }

std::optional<double> uniform_value(const Graph& graph, NodeId id) {
  const auto* full = dynamic_cast<const Full*>(&op_of(graph, id));
  return full == nullptr ? std::nullopt : std::optional(full->value);
}

bool is_constant(const Graph& graph, NodeId id) {
  return uniform_value(graph, id) || dynamic_cast<const Constant*>(&op_of(graph, id)) != nullptr;
}

NodeId append_full(Graph& to, const Shape& shape, double value) { return to.full(shape, value).id(); }

// A batch-dependent constant becomes a number.
NodeId resolve_dim(Graph& to, const Node& node, std::int64_t batch) {
  const auto* full = dynamic_cast<const Full*>(node.op.get());
  if (full == nullptr || !full->is_dim) return -1;
  return append_full(to, node.shape, full->resolve(batch));
}

// Uniform in, uniform out: no matter the shape, one element decides.
NodeId fold_uniform(Graph& to, const Node& node, const std::vector<NodeId>& inputs, const Traits& traits) {
  if (inputs.empty()) return -1;
  std::vector<double> values;
  for (const NodeId input : inputs) {
    const auto value = uniform_value(to, input);
    if (!value) return -1;
    values.push_back(*value);
  }
  if (traits.view || traits.broadcast) return append_full(to, node.shape, values.front());
  if (!traits.elementwise || traits.impure) return -1;
  return append_full(to, node.shape, evaluate(*node.op, values));
}

std::vector<double> values_of(const Graph& graph, NodeId id) {
  if (const auto* constant = dynamic_cast<const Constant*>(&op_of(graph, id))) return constant->values;
  const auto count = graph[id].shape.element_count().constant();
  return std::vector<double>(static_cast<std::size_t>(count), *uniform_value(graph, id));
}

NodeId fold(Graph& to, const Node& node, const std::vector<NodeId>& inputs, const Traits& traits,
            std::int64_t batch) {
  if (inputs.empty() || traits.impure) return -1;
  const auto small = [](const Shape& shape) {
    return shape.is_constant() && shape.element_count().constant() <= largest_folded;
  };
  if (!small(node.shape)) return -1;
  if (!std::ranges::all_of(inputs, [&](NodeId in) { return is_constant(to, in) && small(to[in].shape); }))
    return -1;
  Signature signature{{}, node.shape.resolve(batch), batch};
  std::vector<std::vector<double>> values;
  std::vector<const double*> pointers;
  for (const NodeId input : inputs) {
    signature.inputs.push_back(to[input].shape.resolve(batch));
    values.push_back(values_of(to, input));
  }
  for (const auto& v : values) pointers.push_back(v.data());
  std::vector<double> result(static_cast<std::size_t>(element_count(signature.output)));
  if (traits.view)
    result = values.front();
  else
    try {
      node.op->kernel(signature, double{})(pointers.data(), result.data());
    } catch (const Error&) {
      return -1;  // the run will say what is wrong, and where
    }
  return to.constant(signature.output, std::move(result), node.where).id();
}

// A reduction over axes that hold one element each, as those of the batch do when it is 1.
NodeId drop_reduction(Graph& to, const Node& node, const std::vector<NodeId>& inputs, const Traits& traits,
                      std::int64_t batch) {
  if (!traits.reduction ||
      element_count(to[inputs[0]].shape.resolve(batch)) != element_count(node.shape.resolve(batch)))
    return -1;
  return to.append(std::make_shared<const Alias>(node.shape), {inputs[0]}, node.shape, node.where);
}

// x + 0, x · 1, −(−x), views of views, views that change nothing. Never x · 0, which may be NaN.
NodeId simplify(Graph& to, const Node& node, const std::vector<NodeId>& inputs, const Traits& traits) {
  const auto is_value = [&](NodeId id, std::optional<double> identity) {
    return identity && uniform_value(to, id) == identity;
  };
  if (inputs.size() == 2) {
    // Commuting may have put the identity on either side: try both rules where they agree.
    if (is_value(inputs[1], traits.right_identity)) return inputs[0];
    if (is_value(inputs[0], traits.left_identity)) return inputs[1];
  }
  if (inputs.size() != 1) return -1;
  const Node& input = to[inputs[0]];
  if (traits.involution && input.op->same_as(*node.op)) return input.inputs[0];
  if ((traits.view || traits.broadcast) && input.shape == node.shape) return inputs[0];
  if (traits.view && input.op->traits().view) {
    const NodeId base = input.inputs[0];
    return to[base].shape == node.shape ? base : to.append(node.op, {base}, node.shape, node.where);
  }
  return -1;
}

}  // namespace

Program optimize(const Program& program, std::int64_t batch) {
  const auto rule = [&](Graph& to, const Node& node, const std::vector<NodeId>& inputs) {
    const Traits traits = node.op->traits();
    NodeId id = resolve_dim(to, node, batch);
    if (id < 0) id = fold_uniform(to, node, inputs, traits);
    if (id < 0) id = fold(to, node, inputs, traits, batch);
    if (id < 0) id = drop_reduction(to, node, inputs, traits, batch);
    if (id < 0) id = simplify(to, node, inputs, traits);
    return id;
  };
  return rebuild(rebuild(program, rule), {});
}

}  // namespace gradus
