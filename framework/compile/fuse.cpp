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
  // The first axis from which on, and the last axis up to which, the two shapes agree.
  std::size_t tail = target.size();
  while (tail > 0 && padded[tail - 1] == target[tail - 1]) --tail;
  if (element_count(std::span(target).subspan(tail)) == count)
    return Operand{.access = Access::row, .period = count};
  std::size_t head = 0;
  while (head < target.size() && padded[head] == target[head]) ++head;
  if (element_count(std::span(target).first(head)) == count)
    return Operand{.access = Access::column, .period = total / count};
  return std::nullopt;
}

namespace {

constexpr NodeId none = -1;

// More nodes would want more tiles than the first-level cache holds, and gain nothing.
constexpr std::int32_t largest_loop = 64;

// The state of a node while loops are formed. An op of several outputs is one with its Outputs: only
// `stored` is each one's own.
struct NodeState {
  NodeId loop = none;     // the loop that the node belongs to, by its last node
  NodeId reader = none;   // the only loop that reads the node so far
  std::int32_t size = 0;  // how many nodes the loop has of which this is the last
  bool needed = false;    // somebody reads the node
  bool exposed = false;   // somebody outside of its only reading loop reads it
  bool stored = false;    // its value has a buffer
};

class LoopFormer {
 public:
  LoopFormer(const Program& program, const DimBindings& dims, bool fuse)
      : program_(program), graph_(*program.graph), dims_(dims), fuse_(fuse) {
    const auto size = static_cast<std::size_t>(graph_.size());
    states_.resize(size);
    traits_.reserve(size);
    for (NodeId id = 0; id < graph_.size(); ++id) traits_.push_back(graph_[id].traits());
  }

  std::vector<Step> make() {
    for (const NodeId id : program_.outputs) expose(id);
    for (const auto& [variable, value] : program_.updates) expose(value);
    for (NodeId id = graph_.size() - 1; id >= 0; --id)
      if (computes(id)) visit(id);
    return collect();
  }

 private:
  static std::size_t at(NodeId id) { return static_cast<std::size_t>(id); }
  NodeState& state(NodeId id) { return states_[at(id)]; }
  // The node whose step computes the value: the op's, for one of several outputs.
  NodeId owner(NodeId id) const { return graph_[id].output() != nullptr ? graph_[id].inputs.front() : id; }
  bool computes(NodeId id) { return graph_[id].op() != nullptr && !traits_[at(id)].view && state(id).needed; }

  // An output or an update reads the node from its buffer: it must be stored, but may still be fused.
  void expose(NodeId id) {
    const NodeId from = origin(graph_, id);
    state(from).stored = state(owner(from)).needed = true;
    if (from != id) state(owner(from)).exposed = true;
  }

  // A step other than a fused loop reads the node.
  void read_from_outside(NodeId id) {
    id = origin(graph_, id);
    state(id).stored = true;
    state(owner(id)).needed = state(owner(id)).exposed = true;
  }

  void read_from_loop(NodeId id, NodeId loop) {
    if (traits_[at(id)].view) return read_from_outside(id);
    NodeState& read = state(owner(id));
    read.needed = true;
    if (read.reader == none)
      read.reader = loop;
    else if (read.reader != loop)
      read.exposed = true;
  }

  // Consumers come before producers here: ids run down.
  void visit(NodeId id) {
    const Node& node = graph_[id];
    NodeState& own = state(id);
    if (node.op()->elementwise() == nullptr) {
      own.stored = true;
      for (const NodeId input : node.inputs) read_from_outside(input);
      last_nodes_.push_back(id);
      return;
    }
    const bool joins = fuse_ && own.reader != none && !own.exposed && state(own.reader).size < largest_loop;
    own.loop = joins ? own.reader : id;
    if (!joins) last_nodes_.push_back(id);
    ++state(own.loop).size;
    const Shape& shape = graph_[node.inputs.front()].shape;
    for (const NodeId input : node.inputs) {
      const Operand operand = operand_of(input, shape);
      if (operand.node == input)
        read_from_loop(input, own.loop);
      else
        read_from_outside(operand.node);
    }
  }

  // The operand that a loop really reads for `input`: a simple broadcast is read through.
  Operand operand_of(NodeId input, const Shape& shape) const {
    Operand operand{.node = input};
    if (graph_[input].is_number()) operand.access = Access::scalar;
    if (!traits_[at(input)].broadcast) return operand;
    const NodeId source = graph_[input].inputs.front();
    if (const auto access = broadcast_access(graph_[source].shape.resolve(dims_), shape.resolve(dims_))) {
      operand = *access;
      operand.node = source;
    }
    return operand;
  }

  std::vector<Step> collect() {
    std::ranges::reverse(last_nodes_);
    std::vector<Step> steps(last_nodes_.size());
    std::vector<std::size_t> step_of(states_.size());
    for (std::size_t s = 0; s < last_nodes_.size(); ++s) step_of[at(last_nodes_[s])] = s;
    const auto step = [&](NodeId id) -> Step& {
      const NodeId loop = state(id).loop;
      return steps[step_of[at(loop == none ? id : loop)]];
    };
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (computes(id)) add_node(step(id), id, state(id).loop);
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (computes(owner(id)) && !graph_[id].is_tuple() &&
          (state(id).stored || state(owner(id)).loop == none))
        step(owner(id)).results.push_back({id});
    return steps;
  }

  void add_node(Step& step, NodeId id, NodeId loop) {
    step.kind = loop == none ? Step::Kind::op : Step::Kind::fused;
    step.nodes.push_back(id);
    for (const NodeId input : graph_[id].inputs) {
      if (loop == none) {
        step.operands.push_back({.node = input});
        continue;
      }
      if (state(owner(input)).loop == loop) continue;  // computed by the loop itself
      state(input).stored = true;
      const Operand operand = operand_of(input, graph_[graph_[id].inputs.front()].shape);
      const bool known = std::ranges::any_of(step.operands, [&](const Operand& o) {
        return o.node == operand.node && o.access == operand.access && o.period == operand.period;
      });
      if (!known) step.operands.push_back(operand);
    }
  }

  const Program& program_;
  const Graph& graph_;
  DimBindings dims_;
  bool fuse_;
  std::vector<Traits> traits_;
  std::vector<NodeState> states_;
  std::vector<NodeId> last_nodes_;  // of each step
};

// Lets fused loops take in the ops that they alone read.
class ProducerFuser {
 public:
  explicit ProducerFuser(Plan& plan)
      : plan_(plan),
        graph_(*plan.program.graph),
        readers_(static_cast<std::size_t>(graph_.size()), 0),
        writer_(readers_.size(), none) {
    for (const NodeId id : plan.program.outputs) ++readers(id);
    for (const auto& [variable, value] : plan.program.updates) ++readers(value);
    for (std::size_t s = 0; s < plan.steps.size(); ++s) {
      const Step& step = plan.steps[s];
      for (const Operand& operand : step.operands) ++readers(operand.node);
      if (step.kind == Step::Kind::op && graph_[step.nodes.front()].traits().by_rows)
        writer_[static_cast<std::size_t>(step.nodes.front())] = static_cast<std::int32_t>(s);
    }
  }

  void fuse() {
    for (Step& step : plan_.steps)
      if (step.kind == Step::Kind::fused) take_producer(step);
    std::erase_if(plan_.steps, [](const Step& step) { return step.nodes.empty(); });
  }

 private:
  std::int32_t& readers(NodeId id) { return readers_[static_cast<std::size_t>(origin(graph_, id))]; }
  std::int32_t writer(NodeId id) const { return writer_[static_cast<std::size_t>(id)]; }

  // Takes the largest, if there are several: the others are stored.
  void take_producer(Step& loop) {
    std::size_t best = loop.operands.size();
    std::int64_t most = 0;
    for (std::size_t i = 0; i < loop.operands.size(); ++i) {
      const std::int64_t count = element_count(graph_[loop.operands[i].node].shape.resolve(plan_.dims));
      if (count > most && can_take(loop.operands[i], count)) {
        best = i;
        most = count;
      }
    }
    if (best == loop.operands.size()) return;
    Step& producer = plan_.steps[static_cast<std::size_t>(writer(loop.operands[best].node))];
    loop.operands.erase(loop.operands.begin() + static_cast<std::ptrdiff_t>(best));
    loop.operands.insert(loop.operands.begin(), producer.operands.begin(), producer.operands.end());
    loop.producer_operands = producer.operands.size();
    loop.nodes.insert(loop.nodes.begin(), producer.nodes.front());
    producer.nodes.clear();
  }

  bool can_take(const Operand& operand, std::int64_t count) {
    if (operand.access != Access::full || readers(operand.node) != 1 || writer(operand.node) == none)
      return false;
    if (static_cast<std::size_t>(count) * bytes_of(plan_.dtype) <= panel_bytes) return true;
    return graph_[operand.node].op()->rows_are_cheap(plan_.shapes(operand.node), plan_.dtype);
  }

  Plan& plan_;
  const Graph& graph_;
  std::vector<std::int32_t> readers_;  // by node
  std::vector<std::int32_t> writer_;   // by node: the step of an op that can be taken, or none
};

}  // namespace

Plan fuse(Program program, const DimBindings& dims, DType dtype, bool fuse) {
  Plan plan;
  plan.program = std::move(program);
  plan.dims = dims;
  plan.dtype = dtype;
  plan.steps = LoopFormer(plan.program, dims, fuse).make();
  if (fuse) ProducerFuser(plan).fuse();
  return plan;
}

}  // namespace gradus
