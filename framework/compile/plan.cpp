#include "framework/compile/plan.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <queue>
#include <set>

#include "framework/compile/arena.hpp"
#include "framework/compile/fuse.hpp"
#include "gradus/graph/leaf.hpp"

namespace gradus {

namespace {

constexpr ValueId no_value = -1;

class Planner {
 public:
  Planner(Program program, std::int64_t batch, std::size_t element_bytes, const PlanOptions& options)
      : options_(options) {
    plan_.program = std::move(program);
    plan_.batch = batch;
    plan_.element_bytes = element_bytes;
    value_of_.assign(static_cast<std::size_t>(graph().size()), no_value);
  }

  Plan make() {
    plan_.steps = make_steps(plan_.program, plan_.batch, plan_.element_bytes, options_.fuse);
    make_values();
    make_outputs();
    plan_updates();
    schedule();
    place();
    return std::move(plan_);
  }

 private:
  const Graph& graph() const { return *plan_.program.graph; }
  static std::size_t at(std::int32_t id) { return static_cast<std::size_t>(id); }
  template <class LeafType>
  const LeafType* leaf(NodeId id) const {
    return dynamic_cast<const LeafType*>(graph()[id].op.get());
  }

  ValueId add_value(NodeId node, Value::Place place) {
    Value value;
    value.place = place;
    value.node = node;
    value.extents = graph()[node].shape.resolve(plan_.batch);
    value.bytes = static_cast<std::size_t>(element_count(value.extents)) * plan_.element_bytes;
    plan_.values.push_back(std::move(value));
    return static_cast<ValueId>(plan_.values.size()) - 1;
  }

  // The value of a node: its own, its origin's if it is a view; leaves get theirs on demand.
  ValueId value_of(NodeId node) {
    const NodeId from = origin(graph(), node);
    ValueId& value = value_of_[at(from)];
    if (value == no_value)
      value = add_value(from, leaf<Variable>(from) != nullptr ? Value::Place::variable
                              : leaf<Input>(from) != nullptr  ? Value::Place::input
                                                              : Value::Place::constant);
    return value;
  }

  void make_values() {
    for (const NodeId id : plan_.program.inputs) value_of(id);
    for (Step& step : plan_.steps)
      for (auto& result : step.results)
        result.value = value_of_[at(result.node)] = add_value(result.node, Value::Place::arena);
    for (Step& step : plan_.steps)
      for (Operand& operand : step.operands) {
        // A group reads a uniform constant as a number.
        const bool number = operand.access == Access::scalar && leaf<Full>(operand.node) != nullptr;
        if (!number) operand.value = value_of(operand.node);
      }
  }

  bool is_updated(ValueId value) const { return updated_.contains(value); }

  // A copy of a variable's value from before the updates.
  ValueId snapshot(NodeId node) {
    const ValueId source = value_of(node);
    const ValueId copy = add_value(node, Value::Place::arena);
    plan_.steps.push_back({.kind = Step::Kind::copy,
                           .nodes = {node},
                           .operands = {{.value = source, .node = node}},
                           .results = {{node, copy}}});
    return copy;
  }

  void make_outputs() {
    for (const auto& [variable, value] : plan_.program.updates) updated_.insert(value_of(variable));
    for (const NodeId id : plan_.program.outputs) {
      const ValueId value = value_of(id);
      plan_.outputs.push_back(is_updated(value) ? snapshot(id) : value);
    }
  }

  // An update is written straight into its variable by the group that computes it, provided that nothing else
  // reads the variable later; otherwise it is copied at the end.
  void plan_updates() {
    std::set<ValueId> taken(plan_.outputs.begin(), plan_.outputs.end());
    const std::vector<std::int32_t> writers = writing_steps();
    for (const auto& [variable, node] : plan_.program.updates) {
      const ValueId target = value_of(variable);
      const ValueId source = value_of(node);
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

  // For each value, the step that writes it, or -1.
  std::vector<std::int32_t> writing_steps() {
    for (const auto& [variable, value] : plan_.program.updates) value_of(value);
    std::vector<std::int32_t> writers(plan_.values.size(), -1);
    for (std::size_t s = 0; s < plan_.steps.size(); ++s)
      for (const auto& result : plan_.steps[s].results)
        writers[at(result.value)] = static_cast<std::int32_t>(s);
    return writers;
  }

  // A group reads an element and then may write over it, if that is all that it reads there.
  static bool may_overwrite(const Step& step, ValueId value) {
    if (step.kind != Step::Kind::group) return false;
    for (std::size_t i = 0; i < step.operands.size(); ++i)
      if (step.operands[i].value == value &&
          (i < step.producer_operands || step.operands[i].access != Access::full))
        return false;
    return true;
  }

  void schedule() {
    while (!try_schedule()) {
      // A cycle of updates that wait for each other's readers: one of them goes through a copy.
      copied_.push_back(direct_.back());
      direct_.pop_back();
    }
    for (const auto& [target, source] : copied_)
      plan_.steps.push_back({.kind = Step::Kind::copy,
                             .nodes = {plan_.value(source).node},
                             .operands = {{.value = source, .node = plan_.value(source).node}},
                             .results = {{plan_.value(target).node, target}}});
    redirect();
  }

  // Orders the steps by their data, each direct update after all readers of the variable, and otherwise as
  // they stand. False when there is a cycle.
  bool try_schedule() {
    const std::size_t count = plan_.steps.size();
    const std::vector<std::int32_t> writer = writing_steps();
    std::vector<std::int32_t> overwriter(plan_.values.size(), -1);
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
        if (operand.value == no_value) continue;
        if (const auto w = writer[at(operand.value)]; w >= 0) edge(at(w), s);
        if (const auto o = overwriter[at(operand.value)]; o >= 0) edge(s, at(o));
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

  // Direct updates: their values are written to, and read from, the variables themselves.
  void redirect() {
    std::vector<ValueId> lies_in(plan_.values.size());
    std::iota(lies_in.begin(), lies_in.end(), 0);
    for (const auto& [target, source] : direct_) lies_in[at(source)] = target;
    for (Step& step : plan_.steps) {
      for (auto& result : step.results) result.value = lies_in[at(result.value)];
      for (Operand& operand : step.operands)
        if (operand.value != no_value) operand.value = lies_in[at(operand.value)];
    }
  }

  void place() {
    std::vector<std::int32_t> last_use(plan_.values.size(), -1);
    constexpr std::int32_t forever = std::numeric_limits<std::int32_t>::max();
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      for (const auto& result : plan_.steps[s].results)
        last_use[at(result.value)] = static_cast<std::int32_t>(s);
      for (const Operand& operand : plan_.steps[s].operands)
        if (operand.value != no_value) last_use[at(operand.value)] = static_cast<std::int32_t>(s);
    }
    for (const ValueId output : plan_.outputs) last_use[at(output)] = forever;

    ArenaAllocator arena;
    ArenaAllocator pinned;
    for (Value& value : plan_.values)
      if (value.place == Value::Place::input || value.place == Value::Place::constant)
        value.offset = pinned.allocate(value.bytes);
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      const Step& step = plan_.steps[s];
      std::set<ValueId> dying;
      if (options_.reuse != Reuse::none)
        for (const Operand& operand : step.operands)
          if (operand.value != no_value && plan_.value(operand.value).place == Value::Place::arena &&
              last_use[at(operand.value)] == static_cast<std::int32_t>(s))
            dying.insert(operand.value);
      for (const auto& result : step.results) {
        Value& value = plan_.values[at(result.value)];
        if (value.place != Value::Place::arena) continue;
        if (const ValueId heir = take_over(step, value, dying); heir != no_value) {
          value.offset = plan_.value(heir).offset;
          value.in_place = true;
          dying.erase(heir);
        } else {
          value.offset = arena.allocate(value.bytes);
        }
      }
      for (const ValueId dead : dying) arena.release(plan_.value(dead).offset, plan_.value(dead).bytes);
    }
    plan_.arena_bytes = arena.size();
    plan_.pinned_bytes = pinned.size();
  }

  // A group may write a result over an operand that dies with it and that it reads element for element.
  ValueId take_over(const Step& step, const Value& value, const std::set<ValueId>& dying) const {
    for (const Operand& operand : step.operands)
      if (dying.contains(operand.value) && plan_.value(operand.value).bytes == value.bytes &&
          may_overwrite(step, operand.value))
        return operand.value;
    return no_value;
  }

  PlanOptions options_;
  Plan plan_;
  std::vector<ValueId> value_of_;  // by node
  std::set<ValueId> updated_;
  struct Write {
    ValueId target;
    ValueId source;
  };
  std::vector<Write> direct_;
  std::vector<Write> copied_;
};

}  // namespace

Signature signature_of(const Graph& graph, NodeId id, std::int64_t batch) {
  Signature signature{{}, graph[id].shape.resolve(batch), batch};
  for (const NodeId input : graph[id].inputs) signature.inputs.push_back(graph[input].shape.resolve(batch));
  return signature;
}

Plan make_plan(Program program, std::int64_t batch, std::size_t element_bytes, const PlanOptions& options) {
  return Planner(std::move(program), batch, element_bytes, options).make();
}

}  // namespace gradus
