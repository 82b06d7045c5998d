#include "framework/compile/schedule.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace gradus {

namespace {

class Scheduler {
 public:
  explicit Scheduler(Plan plan)
      : plan_(std::move(plan)), graph_(*plan_.program.graph), buffer_of_(graph_.size(), no_buffer) {}

  Plan make() {
    make_buffers();
    for (const auto& [variable, value] : plan_.program.updates) updated_.insert(buffer_of(variable));
    for (const NodeId id : plan_.program.outputs) plan_.outputs.push_back(lasting_buffer(id));
    plan_updates();
    while (!try_order()) {
      // A cycle of updates that wait for each other's readers: one of them goes through a copy.
      copied_.push_back(direct_.back());
      direct_.pop_back();
    }
    for (const Write& write : copied_) copy(write);
    redirect();
    return std::move(plan_);
  }

 private:
  // An update: the value in one buffer is to get into another.
  struct Write {
    BufferId target;
    BufferId source;
  };

  BufferId add_buffer(NodeId node, Buffer::Space space) {
    Buffer buffer{.space = space, .node = node, .extents = graph_[node].shape.resolve(plan_.dims)};
    buffer.bytes = static_cast<std::size_t>(element_count(buffer.extents)) * bytes_of(plan_.dtype);
    plan_.buffers.push_back(std::move(buffer));
    return static_cast<BufferId>(plan_.buffers.size()) - 1;
  }

  // The buffer of a node: its own, or its origin's if it is a view; leaves get theirs on demand.
  BufferId buffer_of(NodeId node) {
    const NodeId from = origin(graph_, node);
    BufferId& buffer = buffer_of_[from];
    if (buffer == no_buffer)
      buffer = add_buffer(from, graph_[from].variable() != nullptr ? Buffer::Space::variable
                                : graph_[from].input() != nullptr  ? Buffer::Space::input
                                                                   : Buffer::Space::constant);
    return buffer;
  }

  void make_buffers() {
    for (const NodeId id : plan_.program.inputs) buffer_of(id);
    for (Step& step : plan_.steps)
      for (auto& result : step.results)
        result.buffer = buffer_of_[result.node] = add_buffer(result.node, Buffer::Space::arena);
    for (Step& step : plan_.steps)
      for (Operand& operand : step.operands) {
        // A loop reads a uniform constant as a number.
        if (operand.access != Access::scalar || !graph_[operand.node].is_number())
          operand.buffer = buffer_of(operand.node);
      }
  }

  void copy(const Write& write) {
    const NodeId from = plan_.buffer(write.source).node, to = plan_.buffer(write.target).node;
    plan_.steps.push_back({.kind = Step::Kind::copy,
                           .nodes = {from},
                           .operands = {{.buffer = write.source, .node = from}},
                           .results = {{to, write.target}}});
  }

  // The buffer of a value that outlives the updates: of a variable's old value, a copy.
  BufferId lasting_buffer(NodeId node) {
    const BufferId source = buffer_of(node);
    if (!updated_.contains(source)) return source;
    const BufferId target = add_buffer(node, Buffer::Space::arena);
    copy({target, source});
    return target;
  }

  // An update is written straight into its variable by the loop that computes it, provided that nothing else
  // reads the variable later; otherwise it is copied at the end.
  void plan_updates() {
    for (const auto& [variable, value] : plan_.program.updates) buffer_of(value);
    std::set<BufferId> taken(plan_.outputs.begin(), plan_.outputs.end());
    const ById<std::int32_t> writers = writing_steps();
    for (const auto& [variable, value] : plan_.program.updates) {
      const BufferId target = buffer_of(variable), source = buffer_of(value);
      const bool direct = writers[source] >= 0 && !taken.contains(source) &&
                          may_overwrite(plan_.steps[writers[source]], target);
      if (direct) taken.insert(source);
      (direct ? direct_ : copied_).push_back({target, direct ? source : lasting_buffer(value)});
    }
  }

  // Finds for each buffer the step that writes it, or -1.
  ById<std::int32_t> writing_steps() const {
    ById<std::int32_t> writers(plan_.buffers.size(), -1);
    for (std::size_t s = 0; s < plan_.steps.size(); ++s)
      for (const auto& result : plan_.steps[s].results) writers[result.buffer] = static_cast<std::int32_t>(s);
    return writers;
  }

  // Orders the steps by their data, each direct update after all readers of the variable, and otherwise as
  // they stand. False when there is a cycle.
  bool try_order() {
    const auto count = static_cast<std::int32_t>(plan_.steps.size());
    const ById<std::int32_t> writer = writing_steps();
    ById<std::int32_t> overwriter(plan_.buffers.size(), -1);
    for (const auto& [target, source] : direct_) overwriter[target] = writer[source];

    ById<std::vector<std::int32_t>> later(plan_.steps.size());
    ById<std::int32_t> waits(plan_.steps.size(), 0);
    const auto wait = [&](std::int32_t before, std::int32_t after) {
      if (before < 0 || after < 0 || before == after) return;
      later[before].push_back(after);
      ++waits[after];
    };
    for (std::int32_t s = 0; s < count; ++s)
      for (const BufferId buffer : plan_.steps[s].buffers_read()) {
        wait(writer[buffer], s);
        wait(s, overwriter[buffer]);
      }

    std::set<std::int32_t> ready;
    for (std::int32_t s = 0; s < count; ++s)
      if (waits[s] == 0) ready.insert(s);
    std::vector<std::int32_t> order;
    while (!ready.empty()) {
      order.push_back(ready.extract(ready.begin()).value());
      for (const std::int32_t after : later[order.back()])
        if (--waits[after] == 0) ready.insert(after);
    }
    if (order.size() != plan_.steps.size()) return false;
    ById<Step> ordered;
    ordered.reserve(order.size());
    for (const std::int32_t s : order) ordered.push_back(std::move(plan_.steps[s]));
    plan_.steps = std::move(ordered);
    return true;
  }

  // The values of direct updates are written to, and read from, the variables themselves.
  void redirect() {
    ById<BufferId> lies_in(plan_.buffers.size());
    std::iota(lies_in.begin(), lies_in.end(), 0);
    for (const auto& [target, source] : direct_) lies_in[source] = target;
    for (Step& step : plan_.steps) {
      for (auto& result : step.results) result.buffer = lies_in[result.buffer];
      for (Operand& operand : step.operands)
        if (operand.buffer != no_buffer) operand.buffer = lies_in[operand.buffer];
    }
  }

  Plan plan_;
  const Graph& graph_;
  ById<BufferId> buffer_of_;  // by node
  std::set<BufferId> updated_;
  std::vector<Write> direct_;
  std::vector<Write> copied_;
};

}  // namespace

Plan schedule(Plan plan) { return Scheduler(std::move(plan)).make(); }

bool may_overwrite(const Step& step, BufferId buffer) {
  for (std::size_t i = 0; i < step.operands.size(); ++i)
    if (step.operands[i].buffer == buffer &&
        (i < step.producer_operands || step.operands[i].access != Access::full))
      return false;
  return step.kind == Step::Kind::fused;
}

}  // namespace gradus
