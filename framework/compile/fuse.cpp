#include "framework/compile/fuse.hpp"

#include <algorithm>

namespace gradus {

std::optional<Operand> broadcast_access(const Extents& shape, const Extents& target) {
  Extents padded(target.size() - shape.size(), 1);
  padded.insert(padded.end(), shape.begin(), shape.end());
  const std::int64_t count = element_count(shape);
  const std::int64_t total = element_count(target);
  if (count == total) return Operand{.access = Access::full};
  if (count == 1) return Operand{.access = Access::scalar};
  // The axes of the target from which on, and up to which, the two shapes agree.
  const auto tail = std::mismatch(padded.rbegin(), padded.rend(), target.rbegin()).second.base();
  const auto head = std::mismatch(padded.begin(), padded.end(), target.begin()).second;
  if (element_count({tail, target.end()}) == count) return Operand{.access = Access::row, .period = count};
  if (element_count({target.begin(), head}) == count)
    return Operand{.access = Access::column, .period = total / count};
  return std::nullopt;
}

namespace {

constexpr NodeId none = -1;
// The reader of a node that several steps read, or one that is no fused loop.
constexpr NodeId outside = -2;

// More nodes would want more tiles than the first-level cache holds, and gain nothing.
constexpr std::int32_t largest_loop = 64;

// The state of a node while loops are formed. An op of several outputs is one with its Outputs.
struct NodeState {
  NodeId step = none;     // the step that computes the node, by its last node
  NodeId reader = none;   // the only loop that reads the node so far, or `outside`
  std::int32_t size = 0;  // how many nodes the step has of which this is the last
  bool needed = false;    // somebody reads the node
};

class LoopFormer {
 public:
  LoopFormer(const Program& program, const DimBindings& dims, bool fuse)
      : program_(program), graph_(*program.graph), dims_(dims), fuse_(fuse), states_(graph_.size()) {}

  ById<Step> make() {
    for (const NodeId id : program_.outputs) need(id, none);
    for (const auto& [variable, value] : program_.updates) need(value, none);
    for (NodeId id = graph_.size() - 1; id >= 0; --id)
      if (graph_[id].op() != nullptr && states_[id].needed && !graph_[id].view) visit(id);
    return collect();
  }

 private:
  // The node whose step computes the value: the op's, for one of several outputs.
  NodeId owner(NodeId id) const { return graph_[id].output() != nullptr ? graph_[id].source() : id; }
  bool is_elementwise(NodeId id) const { return graph_[id].op()->elementwise() != nullptr; }

  // Notes a reader of the node: a fused loop, by its last node, or any other step, by `outside`. An output or
  // an update, `none`, takes the value from its buffer, and the node may still be fused. Whoever reads a view
  // reads its origin's buffer.
  void need(NodeId id, NodeId reader) {
    const NodeId from = origin(graph_, id);
    NodeState& state = states_[owner(from)];
    state.needed = true;
    const bool only = from == id && (state.reader == none || state.reader == reader);
    state.reader = only ? reader : outside;
  }

  // Consumers come before producers here: ids run down.
  void visit(NodeId id) {
    NodeState& own = states_[id];
    const bool elementwise = is_elementwise(id);
    const bool joins = fuse_ && elementwise && own.reader >= 0 && states_[own.reader].size < largest_loop;
    own.step = joins ? own.reader : id;
    ++states_[own.step].size;
    for (const NodeId input : graph_[id].inputs) {
      const NodeId read = operand_of(id, input).node;
      need(read, elementwise && read == input ? own.step : outside);
    }
  }

  // The operand that a node's step really reads for `input`: a loop reads simple broadcasts through.
  Operand operand_of(NodeId id, NodeId input) const {
    Operand operand{.node = input};
    if (!is_elementwise(id)) return operand;
    if (graph_[input].is_number()) operand.access = Access::scalar;
    if (!graph_[input].broadcast) return operand;
    const NodeId source = graph_[input].source();
    if (const auto access =
            broadcast_access(graph_[source].shape.resolve(dims_), graph_[input].shape.resolve(dims_))) {
      operand = *access;
      operand.node = source;
    }
    return operand;
  }

  // The steps by their last nodes, with empty ones between them.
  ById<Step> collect() const {
    ById<Step> steps(states_.size());
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (states_[id].step != none) add_node(steps[states_[id].step], id);
    ById<bool> stored(states_.size());  // values that somebody reads from a buffer
    for (const NodeId id : program_.outputs) stored[origin(graph_, id)] = true;
    for (const auto& [variable, value] : program_.updates) stored[origin(graph_, value)] = true;
    for (const Step& step : steps)
      for (const Operand& operand : step.operands) stored[origin(graph_, operand.node)] = true;
    for (NodeId id = 0; id < graph_.size(); ++id) {
      const NodeId last = states_[owner(id)].step;
      if (last == none || graph_[id].tuple) continue;
      if (stored[id] || !is_elementwise(last)) steps[last].results.push_back({id});
    }
    return steps;
  }

  void add_node(Step& step, NodeId id) const {
    const bool elementwise = is_elementwise(id);
    step.kind = elementwise ? Step::Kind::fused : Step::Kind::op;
    step.nodes.push_back(id);
    for (const NodeId input : graph_[id].inputs) {
      if (states_[owner(input)].step == states_[id].step) continue;  // computed by the loop itself
      const Operand operand = operand_of(id, input);
      if (!elementwise || !step.reads(operand.node)) step.operands.push_back(operand);
    }
  }

  const Program& program_;
  const Graph& graph_;
  DimBindings dims_;
  bool fuse_;
  ById<NodeState> states_;
};

// Lets fused loops take in the ops that they alone read, the first of several: the others are stored.
void take_producers(Plan& plan) {
  const Graph& graph = *plan.program.graph;
  ById<std::int32_t> readers(graph.size());
  ById<Step*> writer(graph.size());  // the steps of ops that can be taken
  const auto count_reader = [&](NodeId id) { ++readers[origin(graph, id)]; };
  for (const NodeId id : plan.program.outputs) count_reader(id);
  for (const auto& [variable, value] : plan.program.updates) count_reader(value);
  for (Step& step : plan.steps) {
    for (const Operand& operand : step.operands) count_reader(operand.node);
    if (step.kind == Step::Kind::op && !step.nodes.empty() && plan.node(step.nodes.front()).traits().by_rows)
      writer[step.nodes.front()] = &step;
  }
  const auto can_take = [&](const Operand& operand) {
    const NodeId id = operand.node;
    if (operand.access != Access::full || readers[id] != 1 || writer[id] == nullptr) return false;
    const KernelShapes shapes = plan.shapes(id);
    const Op& op = *plan.node(id).op();
    const std::size_t bytes = static_cast<std::size_t>(element_count(shapes.output())) * bytes_of(plan.dtype);
    return bytes <= panel_bytes(op, shapes) || op.rows_are_cheap(shapes, plan.dtype);
  };
  for (Step& loop : plan.steps) {
    if (loop.kind != Step::Kind::fused) continue;
    const auto taken = std::ranges::find_if(loop.operands, can_take);
    if (taken == loop.operands.end()) continue;
    Step& producer = *writer[taken->node];
    loop.operands.erase(taken);
    loop.operands.insert(loop.operands.begin(), producer.operands.begin(), producer.operands.end());
    loop.producer_operands = producer.operands.size();
    loop.nodes.insert(loop.nodes.begin(), producer.nodes.front());
    producer.nodes.clear();
  }
}

}  // namespace

Plan fuse(Plan plan, bool fuse) {
  plan.steps = LoopFormer(plan.program, plan.dims, fuse).make();
  if (fuse) take_producers(plan);
  std::erase_if(plan.steps, [](const Step& step) { return step.nodes.empty(); });
  return plan;
}

}  // namespace gradus
