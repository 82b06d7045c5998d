#include "framework/compile/fuse.hpp"

#include <algorithm>
#include <ranges>

#include "gradus/graph/leaf.hpp"

namespace gradus {

NodeId origin(const Graph& graph, NodeId id) {
  while (graph[id].op->traits().view) id = graph[id].inputs.front();
  return id;
}

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

constexpr std::int32_t no_group = -1;

// More nodes would want more tiles than the first-level cache holds, and gain nothing.
constexpr std::int32_t largest_group = 64;

class StepMaker {
 public:
  StepMaker(const Program& program, std::int64_t batch, bool fuse)
      : program_(program), graph_(*program.graph), batch_(batch), fuse_(fuse) {
    const auto size = static_cast<std::size_t>(graph_.size());
    traits_.reserve(size);
    for (NodeId id = 0; id < graph_.size(); ++id) traits_.push_back(graph_[id].op->traits());
    group_.assign(size, no_group);
    needed_.assign(size, false);
    reader_.assign(size, no_group);
    group_size_.assign(size, 0);
    exposed_.assign(size, false);
    stored_.assign(size, false);
  }

  std::vector<Step> make() {
    for (const NodeId id : program_.outputs) expose(id);
    for (const auto& [variable, value] : program_.updates) expose(value);
    for (NodeId id = graph_.size() - 1; id >= 0; --id) visit(id);
    return collect();
  }

 private:
  static std::size_t at(NodeId id) { return static_cast<std::size_t>(id); }
  bool is_leaf(NodeId id) const { return dynamic_cast<const Leaf*>(graph_[id].op.get()) != nullptr; }

  // An output or an update reads the node from its buffer: it must be stored, but may still be fused.
  void expose(NodeId id) {
    const NodeId from = origin(graph_, id);
    needed_[at(from)] = stored_[at(from)] = true;
    if (from != id) exposed_[at(from)] = true;
  }

  // A step other than a group of elementwise nodes reads the node.
  void read_from_outside(NodeId id) {
    id = origin(graph_, id);
    needed_[at(id)] = stored_[at(id)] = exposed_[at(id)] = true;
  }

  void read_from_group(NodeId id, std::int32_t group) {
    if (traits_[at(id)].view) return read_from_outside(id);
    needed_[at(id)] = true;
    if (reader_[at(id)] == no_group)
      reader_[at(id)] = group;
    else if (reader_[at(id)] != group)
      exposed_[at(id)] = true;
  }

  // Consumers come before producers here: ids run down.
  void visit(NodeId id) {
    if (!needed_[at(id)] || is_leaf(id) || traits_[at(id)].view) return;
    const Node& node = graph_[id];
    if (!traits_[at(id)].elementwise) {
      stored_[at(id)] = true;
      for (const NodeId input : node.inputs) read_from_outside(input);
      sinks_.push_back(id);
      return;
    }
    const bool joins = fuse_ && reader_[at(id)] != no_group && !exposed_[at(id)] &&
                       group_size_[at(reader_[at(id)])] < largest_group;
    if (!joins) {
      group_[at(id)] = static_cast<std::int32_t>(id);
      stored_[at(id)] = true;
      sinks_.push_back(id);
    } else {
      group_[at(id)] = reader_[at(id)];
    }
    ++group_size_[at(group_[at(id)])];
    for (const NodeId input : node.inputs) {
      const Operand operand = operand_of(input, node.shape);
      if (operand.node == input)
        read_from_group(input, group_[at(id)]);
      else
        read_from_outside(operand.node);
    }
  }

  // What a group really reads for `input`: through a broadcast, where it is a simple one.
  Operand operand_of(NodeId input, const Shape& shape) const {
    Operand operand{.node = input, .access = Access::full};
    if (dynamic_cast<const Full*>(graph_[input].op.get()) != nullptr) operand.access = Access::scalar;
    if (!traits_[at(input)].broadcast) return operand;
    const NodeId source = graph_[input].inputs.front();
    if (const auto access = broadcast_access(graph_[source].shape.resolve(batch_), shape.resolve(batch_))) {
      operand = *access;
      operand.node = source;
    }
    return operand;
  }

  std::vector<Step> collect() {
    std::ranges::reverse(sinks_);
    std::vector<Step> steps(sinks_.size());
    std::vector<std::int32_t> step_of(group_.size(), no_group);
    for (std::size_t s = 0; s < sinks_.size(); ++s) step_of[at(sinks_[s])] = static_cast<std::int32_t>(s);
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (!needed_[at(id)] || is_leaf(id) || traits_[at(id)].view) continue;
      const bool elementwise = group_[at(id)] != no_group;
      Step& step = steps[static_cast<std::size_t>(step_of[at(elementwise ? group_[at(id)] : id)])];
      step.kind = elementwise ? Step::Kind::group : Step::Kind::op;
      step.nodes.push_back(id);
      if (stored_[at(id)]) step.results.push_back({id, -1});
      for (const NodeId input : graph_[id].inputs) add_operand(step, input, id);
    }
    return steps;
  }

  void add_operand(Step& step, NodeId input, NodeId reader) {
    if (step.kind == Step::Kind::op) {
      step.operands.push_back({.node = input});
      return;
    }
    if (group_[at(input)] == group_[at(reader)]) return;  // computed by the group itself
    const Operand operand = operand_of(input, graph_[reader].shape);
    const bool known = std::ranges::any_of(step.operands, [&](const Operand& o) {
      return o.node == operand.node && o.access == operand.access && o.period == operand.period;
    });
    if (!known) step.operands.push_back(operand);
  }

  const Program& program_;
  const Graph& graph_;
  std::int64_t batch_;
  bool fuse_;
  std::vector<Traits> traits_;
  std::vector<std::int32_t> group_;  // the id of the node that ends the group
  std::vector<std::int32_t> group_size_;
  std::vector<std::int32_t> reader_;  // the only group that reads the node so far
  std::vector<bool> needed_;          // somebody reads the node
  std::vector<bool> exposed_;         // somebody outside of its only reading group reads it
  std::vector<bool> stored_;          // the node has a buffer
  std::vector<NodeId> sinks_;
};

// Lets groups take in the ops that they alone read.
class ProducerFuser {
 public:
  ProducerFuser(const Program& program, std::int64_t batch, std::size_t element_bytes,
                std::vector<Step> steps)
      : graph_(*program.graph), batch_(batch), element_bytes_(element_bytes), steps_(std::move(steps)) {
    readers_.assign(static_cast<std::size_t>(graph_.size()), 0);
    writer_.assign(readers_.size(), no_group);
    for (const NodeId id : program.outputs) ++readers(id);
    for (const auto& [variable, value] : program.updates) ++readers(value);
    for (std::size_t s = 0; s < steps_.size(); ++s) {
      for (const Operand& operand : steps_[s].operands) ++readers(operand.node);
      if (steps_[s].kind == Step::Kind::op)
        writer_[static_cast<std::size_t>(steps_[s].nodes.front())] = static_cast<std::int32_t>(s);
    }
  }

  std::vector<Step> fuse() {
    for (Step& group : steps_)
      if (group.kind == Step::Kind::group) take_producer(group);
    std::erase_if(steps_, [](const Step& step) { return step.nodes.empty(); });
    return std::move(steps_);
  }

 private:
  std::int32_t& readers(NodeId id) { return readers_[static_cast<std::size_t>(origin(graph_, id))]; }

  // The largest, if there are several: the others are stored.
  void take_producer(Step& group) {
    std::size_t best = group.operands.size();
    std::int64_t most = 0;
    for (std::size_t i = 0; i < group.operands.size(); ++i) {
      const std::int64_t count = element_count(graph_[group.operands[i].node].shape.resolve(batch_));
      if (count > most && can_take(group.operands[i], count)) {
        best = i;
        most = count;
      }
    }
    if (best == group.operands.size()) return;
    Step& producer =
        steps_[static_cast<std::size_t>(writer_[static_cast<std::size_t>(group.operands[best].node)])];
    group.operands.erase(group.operands.begin() + static_cast<std::ptrdiff_t>(best));
    group.operands.insert(group.operands.begin(), producer.operands.begin(), producer.operands.end());
    group.producer_operands = producer.operands.size();
    group.nodes.insert(group.nodes.begin(), producer.nodes.front());
    producer.nodes.clear();
  }

  bool can_take(const Operand& operand, std::int64_t count) {
    if (operand.access != Access::full || readers(operand.node) != 1) return false;
    const Node& node = graph_[operand.node];
    if (writer_[static_cast<std::size_t>(operand.node)] == no_group || !node.op->traits().by_rows)
      return false;
    if (static_cast<std::size_t>(count) * element_bytes_ <= panel_bytes) return true;
    return node.op->rows_are_cheap(signature_of(graph_, operand.node, batch_), element_bytes_);
  }

  const Graph& graph_;
  std::int64_t batch_;
  std::size_t element_bytes_;
  std::vector<Step> steps_;
  std::vector<std::int32_t> readers_;  // by node
  std::vector<std::int32_t> writer_;   // by node: the step of an op, or none
};

}  // namespace

std::vector<Step> make_steps(const Program& program, std::int64_t batch, std::size_t element_bytes,
                             bool fuse) {
  std::vector<Step> steps = StepMaker(program, batch, fuse).make();
  if (!fuse) return steps;
  return ProducerFuser(program, batch, element_bytes, std::move(steps)).fuse();
}

}  // namespace gradus
