#include "framework/compile/schedule.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <set>

namespace gradus {

namespace {

class Scheduler {
 public:
  explicit Scheduler(Plan plan) : plan_(std::move(plan)) {
    buffer_of_.assign(static_cast<std::size_t>(graph().size()), no_buffer);
  }

  Plan make() {
    make_buffers();
    make_outputs();
    plan_updates();
    order_steps();
    return std::move(plan_);
  }

 private:
  const Graph& graph() const { return *plan_.program.graph; }
  static std::size_t at(std::int32_t id) { return static_cast<std::size_t>(id); }

  BufferId add_buffer(NodeId node, Buffer::Space space) {
    Buffer buffer{.space = space, .node = node, .extents = graph()[node].shape.resolve(plan_.dims)};
    buffer.bytes = static_cast<std::size_t>(element_count(buffer.extents)) * bytes_of(plan_.dtype);
    plan_.buffers.push_back(std::move(buffer));
    return static_cast<BufferId>(plan_.buffers.size()) - 1;
  }

  // The buffer of a node: its own, or its origin's if it is a view; leaves get theirs on demand.
  BufferId buffer_of(NodeId node) {
    const NodeId from = origin(graph(), node);
    BufferId& buffer = buffer_of_[at(from)];
    if (buffer == no_buffer)
      buffer = add_buffer(from, graph()[from].variable() != nullptr ? Buffer::Space::variable
                                : graph()[from].input() != nullptr  ? Buffer::Space::input
                                                                    : Buffer::Space::constant);
    return buffer;
  }

  void make_buffers() {
    for (const NodeId id : plan_.program.inputs) buffer_of(id);
    for (Step& step : plan_.steps)
      for (auto& result : step.results)
        result.buffer = buffer_of_[at(result.node)] = add_buffer(result.node, Buffer::Space::arena);
    for (Step& step : plan_.steps)
      for (Operand& operand : step.operands) {
        // A loop reads a uniform constant as a number.
        if (operand.access != Access::scalar || !graph()[operand.node].is_number())
          operand.buffer = buffer_of(operand.node);
      }
  }

  bool is_updated(BufferId buffer) const { return updated_.contains(buffer); }

  // A copy of a variable's value from before the updates.
  BufferId snapshot(NodeId node) {
    const BufferId source = buffer_of(node);
    const BufferId copy = add_buffer(node, Buffer::Space::arena);
    plan_.steps.push_back({.kind = Step::Kind::copy,
                           .nodes = {node},
                           .operands = {{.buffer = source, .node = node}},
                           .results = {{node, copy}}});
    return copy;
  }

  void make_outputs() {
    for (const auto& [variable, value] : plan_.program.updates) updated_.insert(buffer_of(variable));
    for (const NodeId id : plan_.program.outputs) {
      const BufferId buffer = buffer_of(id);
      plan_.outputs.push_back(is_updated(buffer) ? snapshot(id) : buffer);
    }
  }

  // An update is written straight into its variable by the loop that computes it, provided that nothing else
  // reads the variable later; otherwise it is copied at the end.
  void plan_updates() {
    std::set<BufferId> taken(plan_.outputs.begin(), plan_.outputs.end());
    const std::vector<std::int32_t> writers = writing_steps();
    for (const auto& [variable, node] : plan_.program.updates) {
      const BufferId target = buffer_of(variable);
      const BufferId source = buffer_of(node);
      const std::int32_t writer = writers[at(source)];
      if (writer >= 0 && !taken.contains(source) && may_overwrite(plan_.steps[at(writer)], target)) {
        taken.insert(source);
        direct_.push_back({target, source});
      } else {
        // The old value of a variable may be gone by the end.
        copied_.push_back({target, is_updated(source) ? snapshot(node) : source});
      }
    }
  }

  // Finds for each buffer the step that writes it, or -1.
  std::vector<std::int32_t> writing_steps() {
    for (const auto& [variable, value] : plan_.program.updates) buffer_of(value);
    std::vector<std::int32_t> writers(plan_.buffers.size(), -1);
    for (std::size_t s = 0; s < plan_.steps.size(); ++s)
      for (const auto& result : plan_.steps[s].results)
        writers[at(result.buffer)] = static_cast<std::int32_t>(s);
    return writers;
  }

  void order_steps() {
    while (!try_order()) {
      // A cycle of updates that wait for each other's readers: one of them goes through a copy.
      copied_.push_back(direct_.back());
      direct_.pop_back();
    }
    for (const auto& [target, source] : copied_)
      plan_.steps.push_back({.kind = Step::Kind::copy,
                             .nodes = {plan_.buffer(source).node},
                             .operands = {{.buffer = source, .node = plan_.buffer(source).node}},
                             .results = {{plan_.buffer(target).node, target}}});
    redirect();
  }

  // Orders the steps by their data, each direct update after all readers of the variable, and otherwise as
  // they stand. False when there is a cycle.
  bool try_order() {
    const std::size_t count = plan_.steps.size();
    const std::vector<std::int32_t> writer = writing_steps();
    std::vector<std::int32_t> overwriter(plan_.buffers.size(), -1);
    for (const auto& [target, source] : direct_) overwriter[at(target)] = writer[at(source)];

    std::vector<std::vector<std::size_t>> later(count);
    std::vector<std::size_t> waits(count, 0);
    const auto edge = [&](std::size_t before, std::size_t after) {
      if (before == after) return;
      later[before].push_back(after);
      ++waits[after];
    };
    for (std::size_t s = 0; s < count; ++s)
      for (const Operand& operand : plan_.steps[s].operands) {
        if (operand.buffer == no_buffer) continue;
        if (const auto w = writer[at(operand.buffer)]; w >= 0) edge(at(w), s);
        if (const auto o = overwriter[at(operand.buffer)]; o >= 0) edge(s, at(o));
      }

    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (std::size_t s = 0; s < count; ++s)
      if (waits[s] == 0) ready.push(s);
    std::vector<std::size_t> order;
    while (!ready.empty()) {
      const std::size_t s = ready.top();
      ready.pop();
      order.push_back(s);
      for (const std::size_t after : later[s])
        if (--waits[after] == 0) ready.push(after);
    }
    if (order.size() != count) return false;
    std::vector<Step> ordered;
    ordered.reserve(count);
    for (const std::size_t s : order) ordered.push_back(std::move(plan_.steps[s]));
    plan_.steps = std::move(ordered);
    return true;
  }

  // The values of direct updates are written to, and read from, the variables themselves.
  void redirect() {
    std::vector<BufferId> lies_in(plan_.buffers.size());
    std::iota(lies_in.begin(), lies_in.end(), 0);
    for (const auto& [target, source] : direct_) lies_in[at(source)] = target;
    for (Step& step : plan_.steps) {
      for (auto& result : step.results) result.buffer = lies_in[at(result.buffer)];
      for (Operand& operand : step.operands)
        if (operand.buffer != no_buffer) operand.buffer = lies_in[at(operand.buffer)];
    }
  }

  Plan plan_;
  std::vector<BufferId> buffer_of_;  // by node
  std::set<BufferId> updated_;
  struct Write {
    BufferId target;
    BufferId source;
  };
  std::vector<Write> direct_;
  std::vector<Write> copied_;
};

}  // namespace

Plan schedule(Plan plan) { return Scheduler(std::move(plan)).make(); }

bool may_overwrite(const Step& step, BufferId buffer) {
  if (step.kind != Step::Kind::fused) return false;
  for (std::size_t i = 0; i < step.operands.size(); ++i)
    if (step.operands[i].buffer == buffer &&
        (i < step.producer_operands || step.operands[i].access != Access::full))
      return false;
  return true;
}

}  // namespace gradus
