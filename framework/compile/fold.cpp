#include "framework/compile/fold.hpp"

#include <algorithm>
#include <optional>

namespace gradus {

namespace {

constexpr std::int64_t largest_folded = 4096;

class Folder {
 public:
  explicit Folder(const DimBindings& dims) : dims_(dims) {}

  NodeId operator()(Graph& to, const Node& node, const std::vector<NodeId>& inputs) const {
    if (const Full* full = node.full(); full != nullptr && full->is_dim)
      return to.full(node.shape, full->resolve(dims_)).id();
    const bool constant = !inputs.empty() && std::ranges::all_of(inputs, [&](NodeId input) {
      return to[input].is_number() || to[input].constant() != nullptr;
    });
    const Traits traits = node.traits();
    if (!constant || node.op() == nullptr || traits.impure || traits.outputs > 1) return -1;
    const NodeId uniform = fold_uniform(to, node, inputs, traits);
    return uniform >= 0 ? uniform : fold_tensor(to, node, inputs, traits);
  }

 private:
  // Uniform in, uniform out: one element decides, whatever the shape.
  static NodeId fold_uniform(Graph& to, const Node& node, const std::vector<NodeId>& inputs,
                             const Traits& traits) {
    std::vector<double> values;
    for (const NodeId input : inputs) {
      if (!to[input].is_number()) return -1;
      values.push_back(to[input].full()->value);
    }
    if (traits.view || traits.broadcast) return to.full(node.shape, values.front()).id();
    const ElementwiseOp* op = node.op()->elementwise();
    return op == nullptr ? -1 : to.full(node.shape, evaluate(*op, values)).id();
  }

  NodeId fold_tensor(Graph& to, const Node& node, const std::vector<NodeId>& inputs,
                     const Traits& traits) const {
    const auto small = [](const Shape& shape) {
      return shape.is_constant() && shape.element_count().constant() <= largest_folded;
    };
    if (!small(node.shape) || !std::ranges::all_of(inputs, [&](NodeId in) { return small(to[in].shape); }))
      return -1;
    KernelShapes shapes{{}, {node.shape.resolve(dims_)}, dims_};
    std::vector<std::vector<double>> values;
    std::vector<const double*> pointers;
    for (const NodeId input : inputs) {
      shapes.inputs.push_back(to[input].shape.resolve(dims_));
      values.push_back(values_of(to[input]));
    }
    pointers.reserve(values.size());
    for (const auto& v : values) pointers.push_back(v.data());
    if (traits.view) return to.constant(shapes.output(), values.front(), node.where).id();
    std::vector<double> result(static_cast<std::size_t>(element_count(shapes.output())));
    std::vector<std::byte> workspace(node.op()->workspace_bytes(shapes, DType::float64) + 64);
    double* const output = result.data();
    try {
      std::get<Kernel<double>>(node.op()->kernel(shapes, DType::float64))(
          {pointers.data(), &output, aligned(workspace)});
    } catch (const Error&) {
      return -1;  // the run will say what is wrong, and where
    }
    return to.constant(shapes.output(), std::move(result), node.where).id();
  }

  static std::byte* aligned(std::vector<std::byte>& bytes) {
    void* start = bytes.data();
    std::size_t space = bytes.size();
    return static_cast<std::byte*>(std::align(64, space - 64, start, space));
  }

  static std::vector<double> values_of(const Node& node) {
    if (const Constant* constant = node.constant()) return constant->values;
    return std::vector<double>(static_cast<std::size_t>(node.shape.element_count().constant()),
                               node.full()->value);
  }

  DimBindings dims_;
};

// Whether there is anything to fold at the first look: a number that depends on symbols, or an op that reads
// nothing but constants.
bool has_constants(const Graph& graph) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph[id];
    if (node.full() != nullptr && node.full()->is_dim) return true;
    if (node.op() != nullptr && std::ranges::all_of(node.inputs, [&](NodeId input) {
          return graph[input].is_number() || graph[input].constant() != nullptr;
        }))
      return true;
  }
  return false;
}

}  // namespace

Program fold(const Program& program, const DimBindings& dims) {
  return has_constants(*program.graph) ? rebuild(program, Folder(dims)) : program;
}

}  // namespace gradus
