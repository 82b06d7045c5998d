#include "framework/compile/plan_memory.hpp"

#include <limits>
#include <set>

#include "framework/compile/arena.hpp"
#include "framework/compile/schedule.hpp"

namespace gradus {

namespace {

class MemoryPlanner {
 public:
  MemoryPlanner(Plan plan, Reuse reuse, int threads)
      : plan_(std::move(plan)), reuse_(reuse), threads_(static_cast<std::size_t>(threads)) {}

  Plan make() {
    find_last_uses();
    ArenaAllocator pinned;
    for (Buffer& buffer : plan_.buffers)
      if (buffer.space == Buffer::Space::input || buffer.space == Buffer::Space::constant)
        buffer.offset = pinned.allocate(buffer.bytes);
    plan_.pinned_bytes = pinned.size();
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) place(s);
    plan_.arena_bytes = arena_.size();
    plan_.placed = true;
    for (Step& step : plan_.steps)
      if (step.kind == Step::Kind::fused) defer_results(step);
    return std::move(plan_);
  }

 private:
  static std::size_t at(BufferId id) { return static_cast<std::size_t>(id); }

  void find_last_uses() {
    last_use_.assign(plan_.buffers.size(), 0);
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      for (const auto& result : plan_.steps[s].results) last_use_[at(result.buffer)] = s;
      for (const Operand& operand : plan_.steps[s].operands)
        if (operand.buffer != no_buffer) last_use_[at(operand.buffer)] = s;
    }
    for (const BufferId output : plan_.outputs)
      last_use_[at(output)] = std::numeric_limits<std::size_t>::max();
  }

  void place(std::size_t s) {
    std::set<BufferId> dying;
    for (const Operand& operand : plan_.steps[s].operands)
      if (reuse_ != Reuse::none && operand.buffer != no_buffer &&
          plan_.buffer(operand.buffer).space == Buffer::Space::arena && last_use_[at(operand.buffer)] == s)
        dying.insert(operand.buffer);
    for (const auto& result : plan_.steps[s].results) {
      Buffer& buffer = plan_.buffers[at(result.buffer)];
      if (buffer.space != Buffer::Space::arena) continue;
      if (const BufferId heir = take_over(plan_.steps[s], buffer, dying); heir != no_buffer) {
        buffer.offset = plan_.buffer(heir).offset;
        buffer.in_place = true;
        dying.erase(heir);
      } else {
        buffer.offset = arena_.allocate(buffer.bytes);
      }
    }
    place_workspace(s);
    for (const BufferId dead : dying) arena_.release(plan_.buffer(dead).offset, plan_.buffer(dead).bytes);
    // One output of several may be read by nobody.
    for (const auto& result : plan_.steps[s].results) {
      const Buffer& buffer = plan_.buffer(result.buffer);
      if (reuse_ != Reuse::none && buffer.space == Buffer::Space::arena && last_use_[at(result.buffer)] == s)
        arena_.release(buffer.offset, buffer.bytes);
    }
  }

  // A loop may write a result over an operand that dies with it and that it reads element for element.
  BufferId take_over(const Step& step, const Buffer& result, const std::set<BufferId>& dying) const {
    for (const Operand& operand : step.operands)
      if (dying.contains(operand.buffer) && plan_.buffer(operand.buffer).bytes == result.bytes &&
          may_overwrite(step, operand.buffer))
        return operand.buffer;
    return no_buffer;
  }

  void place_workspace(std::size_t s) {
    Step& step = plan_.steps[s];
    if (step.kind == Step::Kind::copy) return;
    const Op* op = plan_.node(step.nodes.front()).op();
    const std::size_t bytes =
        op->elementwise() != nullptr ? 0 : op->workspace_bytes(plan_.shapes(step.nodes.front()), plan_.dtype);
    if (bytes == 0) return;
    Buffer workspace;
    workspace.bytes = align_up(bytes) * threads_;
    workspace.offset = arena_.allocate(workspace.bytes);
    if (reuse_ != Reuse::none) arena_.release(workspace.offset, workspace.bytes);
    step.workspace = static_cast<BufferId>(plan_.buffers.size());
    plan_.buffers.push_back(std::move(workspace));
    last_use_.push_back(s);
  }

  // A result that lies where an operand lies must not be written before that has been read for the last time.
  void defer_results(Step& step) {
    const std::vector<std::size_t> last = last_readers(plan_, step);
    for (auto& result : step.results)
      for (std::size_t i = step.producer_operands; i < step.operands.size(); ++i) {
        if (step.operands[i].buffer == no_buffer) continue;
        const Buffer &target = plan_.buffer(result.buffer), &source = plan_.buffer(step.operands[i].buffer);
        const bool same_memory =
            step.operands[i].buffer == result.buffer ||
            (target.in_place && source.space == Buffer::Space::arena && source.offset == target.offset);
        if (same_memory && last[i] > position_of(plan_, step, result.node)) result.deferred = true;
      }
  }

  Plan plan_;
  Reuse reuse_;
  std::size_t threads_;
  ArenaAllocator arena_;
  std::vector<std::size_t> last_use_;  // by buffer: the last step that reads it, or else writes it
};

}  // namespace

Plan plan_memory(Plan plan, Reuse reuse, int threads) {
  return MemoryPlanner(std::move(plan), reuse, threads).make();
}

}  // namespace gradus
