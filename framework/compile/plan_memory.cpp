#include "framework/compile/plan_memory.hpp"

#include <set>

#include "framework/compile/arena.hpp"
#include "framework/compile/schedule.hpp"

namespace gradus {

namespace {

class MemoryPlanner {
 public:
  MemoryPlanner(Plan& plan, Reuse reuse, int threads)
      : plan_(plan),
        reuse_(reuse),
        threads_(static_cast<std::size_t>(threads)),
        last_use_(plan.buffers.size()) {
    for (std::size_t s = 0; s < plan.steps.size(); ++s) {
      for (const auto& result : plan.steps[s].results) last_use_[result.buffer] = s;
      for (const BufferId buffer : plan.steps[s].buffers_read()) last_use_[buffer] = s;
    }
    for (const BufferId output : plan.outputs) last_use_[output] = plan.steps.size();
  }

  void run() {
    ArenaAllocator pinned;
    for (Buffer& buffer : plan_.buffers)
      if (buffer.space == Buffer::Space::input || buffer.space == Buffer::Space::constant)
        buffer.offset = pinned.allocate(buffer.bytes);
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) place(s);
    plan_.pinned_bytes = pinned.size();
    plan_.arena_bytes = arena_.size();
    plan_.placed = true;
    for (Step& step : plan_.steps)
      if (step.kind == Step::Kind::fused) defer_results(step);
  }

 private:
  bool in_arena(BufferId id) const { return plan_.buffer(id).space == Buffer::Space::arena; }
  bool dies(BufferId id, std::size_t s) const {
    return reuse_ != Reuse::none && in_arena(id) && last_use_[id] == s;
  }

  void place(std::size_t s) {
    Step& step = plan_.steps[s];
    std::set<BufferId> dying;
    for (const BufferId id : step.buffers_read())
      if (dies(id, s)) dying.insert(id);
    for (const auto& result : step.results) {
      if (!in_arena(result.buffer)) continue;
      Buffer& buffer = plan_.buffers[result.buffer];
      const BufferId heir = take_over(step, buffer, dying);
      buffer.in_place = heir != no_buffer;
      buffer.offset = buffer.in_place ? plan_.buffer(heir).offset : arena_.allocate(buffer.bytes);
      dying.erase(heir);
    }
    place_workspace(step);
    // One output of several may be read by nobody.
    for (const auto& result : step.results)
      if (dies(result.buffer, s)) dying.insert(result.buffer);
    for (const BufferId dead : dying) arena_.release(plan_.buffer(dead).offset, plan_.buffer(dead).bytes);
  }

  // A loop may write a result over an operand that dies with it and that it reads element for element.
  BufferId take_over(const Step& step, const Buffer& result, const std::set<BufferId>& dying) const {
    for (const BufferId id : step.buffers_read())
      if (dying.contains(id) && plan_.buffer(id).bytes == result.bytes && may_overwrite(step, id)) return id;
    return no_buffer;
  }

  void place_workspace(Step& step) {
    if (step.kind == Step::Kind::copy) return;
    const NodeId first = step.nodes.front();  // of a loop, the op that it has taken in
    const std::size_t bytes = plan_.node(first).op()->workspace_bytes(plan_.shapes(first), plan_.dtype);
    if (bytes == 0) return;
    Buffer workspace{.bytes = align_up(bytes) * threads_};
    workspace.offset = arena_.allocate(workspace.bytes);
    if (reuse_ != Reuse::none) arena_.release(workspace.offset, workspace.bytes);
    step.workspace = static_cast<BufferId>(plan_.buffers.size());
    plan_.buffers.push_back(std::move(workspace));
  }

  // A result that lies where an operand lies must not be written before that has been read for the last time.
  void defer_results(Step& step) const {
    for (auto& result : step.results)
      for (const Operand& operand : step.loop_operands())
        if (operand.buffer != no_buffer && share_memory(operand.buffer, result.buffer) &&
            last_reader(plan_, step, operand.node) > position_of(plan_, step, result.node))
          result.deferred = true;
  }

  bool share_memory(BufferId a, BufferId b) const {
    return a == b || (in_arena(a) && in_arena(b) && plan_.buffer(a).offset == plan_.buffer(b).offset);
  }

  Plan& plan_;
  Reuse reuse_;
  std::size_t threads_;
  ArenaAllocator arena_;
  ById<std::size_t> last_use_;  // by buffer: the last step that reads it, or else writes it
};

}  // namespace

Plan plan_memory(Plan plan, Reuse reuse, int threads) {
  MemoryPlanner(plan, reuse, threads).run();
  return plan;
}

}  // namespace gradus
