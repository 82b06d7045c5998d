#include "framework/compile/fold.hpp"

#include <algorithm>

#include "framework/base/aligned.hpp"

namespace gradus {

namespace {

constexpr std::int64_t largest_folded = 4096;

// Whether there is anything to fold at the first look: a number that depends on symbols, or an op that reads
// nothing but constants.
bool can_fold(const Graph& graph, const Node& node) {
  if (node.op() == nullptr) return node.full() != nullptr && node.full()->is_dim;
  return !node.inputs.empty() && std::ranges::all_of(node.inputs, [&](NodeId input) {
    return graph[input].is_number() || graph[input].constant() != nullptr;
  });
}

// Uniform in, uniform out: one element decides, whatever the shape.
NodeId fold_uniform(Graph& to, const Node& node, const Traits& traits) {
  std::vector<double> values;
  for (const NodeId input : node.inputs) {
    if (!to[input].is_number()) return -1;
    values.push_back(to[input].full()->value);
  }
  if (traits.view || traits.broadcast) return to.full(node.shape, values.front()).id();
  const ElementwiseOp* op = node.op()->elementwise();
  return op == nullptr ? -1 : to.full(node.shape, evaluate(*op, values)).id();
}

bool is_small(const Shape& shape) {
  return shape.is_constant() && shape.element_count().constant() <= largest_folded;
}

std::vector<double> values_of(const Node& node) {
  if (const Constant* constant = node.constant()) return constant->values;
  return std::vector<double>(static_cast<std::size_t>(node.shape.element_count().constant()),
                             node.full()->value);
}

NodeId fold_tensor(Graph& to, const Node& node, const Traits& traits, const DimBindings& dims) {
  if (!is_small(node.shape)) return -1;
  KernelShapes shapes{{}, {node.shape.resolve(dims)}, dims};
  shapes.reproducible = true;  // a program must not change with the machine that compiles it
  std::vector<std::vector<double>> values;
  std::vector<const double*> pointers;
  values.reserve(node.inputs.size());
  for (const NodeId input : node.inputs) {
    if (!is_small(to[input].shape)) return -1;
    shapes.inputs.push_back(to[input].shape.resolve(dims));
    pointers.push_back(values.emplace_back(values_of(to[input])).data());
  }
  if (traits.view) return to.constant(shapes.output(), values.front(), node.where).id();
  std::vector<double> result(static_cast<std::size_t>(element_count(shapes.output())));
  const AlignedBytes workspace = allocate_aligned(node.op()->workspace_bytes(shapes, DType::float64));
  double* const output = result.data();
  try {
    std::get<Kernel<double>>(node.op()->kernel(shapes, DType::float64))(
        {pointers.data(), &output, workspace.get()});
  } catch (const Error&) {
    return -1;  // the run will say what is wrong, and where
  }
  return to.constant(shapes.output(), std::move(result), node.where).id();
}

}  // namespace

Program fold(Program program, const DimBindings& dims) {
  const Graph& graph = *program.graph;
  bool any = false;
  for (NodeId id = 0; id < graph.size() && !any; ++id) any = can_fold(graph, graph[id]);
  if (!any) return program;
  return rebuild(std::move(program), [&](Graph& to, const Node& node) -> NodeId {
    if (!can_fold(to, node)) return -1;
    if (const Full* full = node.full()) return to.full(node.shape, full->resolve(dims)).id();
    const Traits traits = node.traits();
    if (traits.impure || traits.outputs > 1) return -1;
    const NodeId uniform = fold_uniform(to, node, traits);
    return uniform >= 0 ? uniform : fold_tensor(to, node, traits, dims);
  });
}

}  // namespace gradus
