#include "framework/compile/canonicalize.hpp"

#include <optional>

#include "gradus/graph/op_of.hpp"

namespace gradus {

namespace {

// Another shape for the same values: all that is left of an op that changes no value.
class Alias final : public OpOf<Alias> {
 public:
  static constexpr std::string_view name = "alias";
  explicit Alias(Shape to) : shape(std::move(to)) {}
  auto attributes() const { return std::tuple(attribute("shape", shape)); }
  Traits traits() const override { return {.view = true}; }
  Shape infer(InputShapes) const { return shape; }
  std::vector<Expr> vjp(const Vjp& v) const override { return no_gradient(v); }

  Shape shape;
};

OpPtr alias(const Shape& shape) { return std::make_shared<const Alias>(shape); }

bool is_identity(const Node& node, std::optional<double> identity) {
  return identity && node.is_number() && node.full()->value == *identity;
}

NodeId simplify_unary(Graph& to, const Node& node, NodeId operand, const Traits& traits,
                      const DimBindings& dims) {
  const Node& input = to[operand];
  if (traits.involution && input.op() != nullptr && input.op()->same_as(*node.op())) return input.inputs[0];
  if ((traits.view || traits.broadcast) && input.shape == node.shape) return operand;
  if (traits.view && input.view) {
    const NodeId base = input.source();
    if (to[base].shape == node.shape) return base;
    // An alias may have given its input a shape that another op's rule would reject.
    const bool is_alias = input.op()->type_id() == alias(node.shape)->type_id();
    return to.append(is_alias ? alias(node.shape) : node.content, {base}, node.shape, node.where);
  }
  if (traits.reduction && element_count(input.shape.resolve(dims)) == element_count(node.shape.resolve(dims)))
    return to.append(alias(node.shape), {operand}, node.shape, node.where);
  return -1;
}

NodeId ask_op(Graph& to, const Node& node) {
  std::vector<Expr> operands;
  operands.reserve(node.inputs.size());
  for (const NodeId input : node.inputs) operands.push_back(to.expr(input));
  const Expr simpler = node.op()->canonicalize(operands);
  return simpler.is_null() || simpler.shape() != node.shape ? -1 : simpler.id();
}

}  // namespace

Program canonicalize(Program program, const DimBindings& dims) {
  return rebuild(std::move(program), [&](Graph& to, const Node& node) -> NodeId {
    const std::vector<NodeId>& inputs = node.inputs;
    if (node.op() == nullptr) return -1;
    const Traits traits = node.traits();
    if (traits.outputs > 1) return -1;
    if (inputs.size() == 2) {
      if (is_identity(to[inputs[1]], traits.right_identity)) return inputs[0];
      if (is_identity(to[inputs[0]], traits.left_identity)) return inputs[1];
    }
    const NodeId simpler = inputs.size() == 1 ? simplify_unary(to, node, inputs[0], traits, dims) : -1;
    return simpler >= 0 ? simpler : ask_op(to, node);
  });
}

}  // namespace gradus
