#include "framework/compile/verify.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>

#include "framework/base/aligned.hpp"
#include "framework/compile/schedule.hpp"

namespace gradus {

namespace {

constexpr std::size_t forever = std::numeric_limits<std::size_t>::max();

class Faults {
 public:
  template <class... Args> void require(bool holds, fmt::format_string<Args...> text, Args&&... args) {
    if (!holds) texts_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }
  bool none() const { return texts_.empty(); }
  std::vector<std::string> take() { return std::move(texts_); }

 private:
  std::vector<std::string> texts_;
};

void check_node(const Graph& graph, NodeId id, Faults& faults) {
  const Node& node = graph[id];
  const bool ordered =
      std::ranges::all_of(node.inputs, [&](NodeId input) { return input >= 0 && input < id; });
  faults.require(ordered, "node {} does not come after its inputs", id);
  faults.require(!node.is_leaf() || node.inputs.empty(), "leaf {} has inputs", id);
  if (!ordered || node.is_leaf()) return;
  const NodeId applied = node.output() != nullptr ? node.inputs.front() : id;
  const std::size_t index = node.output() != nullptr ? node.output()->index : 0;
  const Op* op = graph[applied].op();
  if (op == nullptr || (applied == id && op->traits().outputs > 1)) {
    faults.require(op != nullptr, "node {} is an output of what is no op", id);
    return;
  }
  std::vector<const Shape*> shapes;
  for (const NodeId input : graph[applied].inputs) shapes.push_back(&graph[input].shape);
  const std::vector<Shape> inferred = op->output_shapes(InputShapes(shapes));
  faults.require(index < inferred.size() && inferred[index] == node.shape,
                 "{} has another shape than its op infers", graph.describe(id));
}

// Walks the steps of a plan, keeping in mind what each buffer holds and who owns which bytes of the arena.
class PlanWalk {
 public:
  explicit PlanWalk(const Plan& plan)
      : plan_(plan),
        graph_(*plan.program.graph),
        holds_(plan.buffers.size(), -1),
        last_read_(holds_.size(), 0) {}

  std::vector<std::string> faults() {
    for (const Step& step : plan_.steps) check_structure(step);
    if (!plan_.buffers.empty() && faults_.none()) walk();
    return faults_.take();
  }

 private:
  static std::size_t at(std::int32_t id) { return static_cast<std::size_t>(id); }
  std::int64_t count_of(NodeId id) const { return element_count(graph_[id].shape.resolve(plan_.dims)); }
  bool in_arena(BufferId id) const { return plan_.buffer(id).space == Buffer::Space::arena; }

  // Checks what does not need buffers: a step's nodes are in order, and find what they read.
  void check_structure(const Step& step) {
    faults_.require(!step.nodes.empty() && !step.results.empty(), "a step computes nothing");
    if (step.nodes.empty() || step.results.empty()) return;
    for (const Operand& operand : step.operands)
      faults_.require(operand.buffer < static_cast<BufferId>(plan_.buffers.size()), "there is no buffer {}",
                      operand.buffer);
    if (step.kind != Step::Kind::copy)
      for (const auto& result : step.results)
        faults_.require(position_of(plan_, step, result.node) < step.nodes.size(),
                        "{} is a result of a step that does not compute it", graph_.describe(result.node));
    if (step.kind == Step::Kind::op) {
      const auto& inputs = graph_[step.nodes.front()].inputs;
      faults_.require(std::ranges::equal(inputs, step.operands, {}, {}, &Operand::node),
                      "{} does not read its inputs", graph_.describe(step.nodes.front()));
    }
    if (step.kind == Step::Kind::fused) check_loop(step);
  }

  void check_loop(const Step& step) {
    for (std::size_t n = step.producer_operands > 0 ? 1 : 0; n < step.nodes.size(); ++n)
      for (const NodeId input : graph_[step.nodes[n]].inputs)
        faults_.require(
            operand_of(plan_, step, input) || position_of(plan_, step, read_through(plan_, step, input)) < n,
            "{} reads {}, which its loop has not computed by then", graph_.describe(step.nodes[n]),
            graph_.describe(input));
    const std::int64_t total = count_of(step.results.front().node);
    for (std::size_t i = step.producer_operands; i < step.operands.size(); ++i) {
      const auto& [buffer, node, access, period] = step.operands[i];
      const std::int64_t count = access == Access::scalar && graph_[node].is_number() ? 1 : count_of(node);
      const bool fits = access == Access::full     ? count == total
                        : access == Access::scalar ? count == 1
                        : access == Access::row    ? count == period && total % period == 0
                                                   : count * period == total;
      faults_.require(fits, "{} has {} elements, which do not fit a loop over {}", graph_.describe(node),
                      count, total);
    }
    for (const auto& result : step.results)
      faults_.require(count_of(result.node) == total, "{} is of another size than its loop",
                      graph_.describe(result.node));
  }

  void walk() {
    for (std::size_t id = 0; id < holds_.size(); ++id) start(static_cast<BufferId>(id));
    for (std::size_t s = 0; s < plan_.steps.size(); ++s)
      for (const Operand& operand : plan_.steps[s].operands)
        if (operand.buffer != no_buffer) last_read_[at(operand.buffer)] = s;
    for (const BufferId output : plan_.outputs) last_read_[at(output)] = forever;
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      for (const Operand& operand : plan_.steps[s].operands) read(operand.buffer, operand.node);
      if (const BufferId scratch = plan_.steps[s].workspace; scratch != no_buffer) own(s, scratch, nullptr);
      for (const auto& result : plan_.steps[s].results) write(s, result);
    }
    for (std::size_t i = 0; i < plan_.outputs.size(); ++i) read(plan_.outputs[i], plan_.program.outputs[i]);
    for (const auto& [variable, value] : plan_.program.updates) {
      const auto buffer = std::ranges::find(plan_.buffers, variable, &Buffer::node) - plan_.buffers.begin();
      faults_.require(at(static_cast<BufferId>(buffer)) < holds_.size() &&
                          holds_[static_cast<std::size_t>(buffer)] == origin(graph_, value),
                      "{} is not updated", graph_.describe(variable));
    }
  }

  // Buffers that hold something before the run; sizes and places of all.
  void start(BufferId id) {
    const Buffer& buffer = plan_.buffer(id);
    if (!in_arena(id)) holds_[at(id)] = buffer.node;
    if (buffer.node >= 0)
      faults_.require(buffer.bytes == static_cast<std::size_t>(count_of(buffer.node)) * bytes_of(plan_.dtype),
                      "the buffer of {} has {} bytes", graph_.describe(buffer.node), buffer.bytes);
    if (!plan_.placed || in_arena(id) || buffer.space == Buffer::Space::variable) return;
    check_place(id, plan_.pinned_bytes);
    for (BufferId other = 0; other < id; ++other) {
      const Buffer& b = plan_.buffer(other);
      const bool pinned = b.space == Buffer::Space::input || b.space == Buffer::Space::constant;
      faults_.require(
          !pinned || b.offset + b.bytes <= buffer.offset || buffer.offset + buffer.bytes <= b.offset,
          "buffers {} and {} overlap", other, id);
    }
  }

  void check_place(BufferId id, std::size_t limit) {
    const auto& [space, node, extents, bytes, offset, in_place] = plan_.buffer(id);
    faults_.require(offset % alignment == 0 && offset + bytes <= limit,
                    "buffer {} lies at {}, outside of its memory or between cache lines", id, offset);
  }

  void read(BufferId id, NodeId node) {
    if (id == no_buffer) return;
    const NodeId wanted = origin(graph_, node);
    faults_.require(holds_[at(id)] == wanted, "{} is read from buffer {}, which {}", graph_.describe(node),
                    id,
                    holds_[at(id)] < 0 ? "nothing has written" : "holds " + graph_.describe(holds_[at(id)]));
    if (!plan_.placed || !in_arena(id)) return;
    const auto owner = owners_.find(plan_.buffer(id).offset);
    faults_.require(owner != owners_.end() && owner->second.buffer == id,
                    "{} is read from buffer {} after its memory was given to another", graph_.describe(node),
                    id);
  }

  void write(std::size_t s, const Step::Result& result) {
    const Step& step = plan_.steps[s];
    const Buffer& buffer = plan_.buffer(result.buffer);
    faults_.require(count_of(result.node) == element_count(buffer.extents), "{} is written to a buffer of {}",
                    graph_.describe(result.node), to_string(buffer.extents));
    if (buffer.space == Buffer::Space::variable) {
      faults_.require(step.kind == Step::Kind::copy || may_overwrite(step, result.buffer),
                      "{} is written over a variable that the step does not read element by element",
                      graph_.describe(result.node));
      check_order_in_loop(step, result, result.buffer);
    }
    holds_[at(result.buffer)] =
        origin(graph_, step.kind == Step::Kind::copy ? step.operands.front().node : result.node);
    if (in_arena(result.buffer)) own(s, result.buffer, &result);
  }

  // A loop must not write a value where an operand lies that it reads later.
  void check_order_in_loop(const Step& step, const Step::Result& result, BufferId operand) {
    if (!plan_.placed || step.kind != Step::Kind::fused || result.deferred) return;
    const std::vector<std::size_t> last = last_readers(plan_, step);
    for (std::size_t i = step.producer_operands; i < step.operands.size(); ++i)
      faults_.require(step.operands[i].buffer != operand || last[i] <= position_of(plan_, step, result.node),
                      "{} is written over {} before that is read for the last time",
                      graph_.describe(result.node), graph_.describe(step.operands[i].node));
  }

  // Step s takes over the bytes of a buffer, for a result or as workspace.
  void own(std::size_t s, BufferId id, const Step::Result* result) {
    if (!plan_.placed) return;
    check_place(id, plan_.arena_bytes);
    const Buffer& buffer = plan_.buffer(id);
    const std::size_t end = buffer.offset + buffer.bytes;
    auto owner = owners_.upper_bound(buffer.offset);
    if (owner != owners_.begin()) --owner;
    while (owner != owners_.end() && owner->first < end) {
      if (owner->second.end <= buffer.offset) {
        ++owner;
        continue;
      }
      check_overlap(s, id, result, owner->second);
      owner = owners_.erase(owner);
    }
    owners_[buffer.offset] = {end, id, s};
  }

  struct Owner {
    std::size_t end;
    BufferId buffer;
    std::size_t since;
  };

  void check_overlap(std::size_t s, BufferId id, const Step::Result* result, const Owner& owner) {
    const std::size_t last = last_read_[at(owner.buffer)];
    const bool dead = owner.since < s && last < s;
    const Buffer &mine = plan_.buffer(id), &other = plan_.buffer(owner.buffer);
    const bool in_place = result != nullptr && owner.since < s && last == s && mine.offset == other.offset &&
                          mine.bytes == other.bytes && may_overwrite(plan_.steps[s], owner.buffer);
    faults_.require(dead || in_place, "step {} writes buffer {} over buffer {}, which is still needed", s, id,
                    owner.buffer);
    if (in_place) check_order_in_loop(plan_.steps[s], *result, owner.buffer);
  }

  const Plan& plan_;
  const Graph& graph_;
  Faults faults_;
  std::vector<NodeId> holds_;            // by buffer: the node whose value it holds, or -1
  std::vector<std::size_t> last_read_;   // by buffer: the last step that reads it
  std::map<std::size_t, Owner> owners_;  // by offset in the arena
};

}  // namespace

std::vector<std::string> faults_of(const Program& program) {
  const Graph& graph = *program.graph;
  Faults faults;
  for (NodeId id = 0; id < graph.size(); ++id) check_node(graph, id, faults);
  const auto is_value = [&](NodeId id) {
    return id >= 0 && id < graph.size() && graph[id].traits().outputs == 1;
  };
  for (const NodeId id : program.outputs) faults.require(is_value(id), "output {} is no value", id);
  for (const auto& [variable, value] : program.updates) {
    const bool exist = is_value(variable) && is_value(value);
    faults.require(exist && graph[variable].variable() != nullptr, "node {} is updated, but is no variable",
                   variable);
    faults.require(exist && graph[variable].shape == graph[value].shape,
                   "node {} is updated with another shape", variable);
  }
  return faults.take();
}

std::vector<std::string> faults_of(const Plan& plan) { return PlanWalk(plan).faults(); }

void require_sound(std::string_view stage, const Program& program, const Plan* plan) {
  const std::vector<std::string> faults = plan == nullptr ? faults_of(program) : faults_of(*plan);
  if (!faults.empty())
    throw Error(fmt::format("compile: after stage '{}': {}; this is a fault of gradus", stage,
                            fmt::join(faults, "; ")));
}

}  // namespace gradus
