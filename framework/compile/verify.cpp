#include "framework/compile/verify.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "framework/base/aligned.hpp"
#include "framework/compile/schedule.hpp"

namespace gradus {

namespace {

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
  if (!ordered || node.is_leaf() || node.tuple) return;
  const Output* output = node.output();
  const Node& applied = output != nullptr ? graph[node.source()] : node;
  faults.require(applied.op() != nullptr, "node {} is an output of what is no op", id);
  if (applied.op() == nullptr) return;
  std::vector<const Shape*> shapes;
  for (const NodeId input : applied.inputs) shapes.push_back(&graph[input].shape);
  const std::vector<Shape> inferred = applied.op()->output_shapes(InputShapes(shapes));
  const std::size_t index = output != nullptr ? output->index : 0;
  faults.require(index < inferred.size() && inferred[index] == node.shape,
                 "{} has another shape than its op infers", graph.describe(id));
}

// Walks the steps of a plan, keeping in mind what each buffer holds and whose each cache line of memory is.
class PlanWalk : private Faults {
 public:
  explicit PlanWalk(const Plan& plan)
      : plan_(plan),
        graph_(*plan.program.graph),
        contents_(plan.buffers.size()),
        arena_(plan.arena_bytes / alignment, no_buffer),
        pinned_(plan.pinned_bytes / alignment, no_buffer) {}

  std::vector<std::string> faults() {
    for (const Step& step : plan_.steps) check_structure(step);
    if (plan_.buffers.empty() || !none()) return take();
    start();
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      const Step& step = plan_.steps[s];
      for (const Operand& operand : step.operands)
        if (operand.buffer != no_buffer) check_read(operand.buffer, operand.node);
      if (step.workspace != no_buffer) take_memory(s, step.workspace);
      for (const auto& result : step.results) check_write(s, result);
    }
    for (std::size_t i = 0; i < plan_.outputs.size(); ++i)
      check_read(plan_.outputs[i], plan_.program.outputs[i]);
    for (const auto& [variable, value] : plan_.program.updates) {
      const auto buffer = std::ranges::find(plan_.buffers, variable, &Buffer::node) - plan_.buffers.begin();
      require(buffer < std::ssize(plan_.buffers) && contents_[buffer].value == origin(graph_, value),
              "{} is not updated", text(variable));
    }
    return take();
  }

 private:
  using Lines = std::vector<BufferId>;  // by cache line: the buffer that lies there
  struct Contents {
    NodeId value = -1;          // the node whose value the buffer holds
    std::size_t written = 0;    // the step that wrote it
    std::size_t last_read = 0;  // the last step that reads the buffer
  };

  std::string text(NodeId id) const { return graph_.describe(id); }
  std::int64_t count_of(NodeId id) const { return element_count(graph_[id].shape.resolve(plan_.dims)); }
  bool in_arena(BufferId id) const { return plan_.buffer(id).space == Buffer::Space::arena; }

  // Checks what does not need buffers: a step's nodes are in order, and find what they read.
  void check_structure(const Step& step) {
    require(!step.nodes.empty() && !step.results.empty(), "a step computes nothing");
    if (step.nodes.empty() || step.results.empty()) return;
    for (const BufferId buffer : step.buffers_read())
      require(buffer < std::ssize(plan_.buffers), "there is no buffer {}", buffer);
    for (const auto& result : step.results)
      require(step.kind == Step::Kind::copy || position_of(plan_, step, result.node) < step.nodes.size(),
              "{} is a result of a step that does not compute it", text(result.node));
    if (step.kind == Step::Kind::op)
      require(std::ranges::equal(graph_[step.nodes.front()].inputs, step.operands, {}, {}, &Operand::node),
              "{} does not read its inputs", text(step.nodes.front()));
    if (step.kind == Step::Kind::fused) check_loop(step);
  }

  void check_loop(const Step& step) {
    for (std::size_t n = step.first_in_loop(); n < step.nodes.size(); ++n)
      for (const NodeId input : graph_[step.nodes[n]].inputs) {
        const NodeId read = read_through(plan_, step, input);
        require(step.reads(read) || position_of(plan_, step, read) < n,
                "{} reads {}, which its loop has not computed by then", text(step.nodes[n]), text(input));
      }
    const std::int64_t total = count_of(step.results.front().node);
    for (const auto& [buffer, node, access, period] : step.loop_operands()) {
      const std::int64_t count = access == Access::scalar && graph_[node].is_number() ? 1 : count_of(node);
      const bool fits = access == Access::full     ? count == total
                        : access == Access::scalar ? count == 1
                        : access == Access::row    ? count == period && total % period == 0
                                                   : count * period == total;
      require(fits, "{} has {} elements, which do not fit a loop over {}", text(node), count, total);
    }
    for (const auto& result : step.results)
      require(count_of(result.node) == total, "{} is of another size than its loop", text(result.node));
  }

  // Checks sizes, and the places of buffers that hold something before the run.
  void start() {
    for (std::size_t s = 0; s < plan_.steps.size(); ++s)
      for (const BufferId buffer : plan_.steps[s].buffers_read()) contents_[buffer].last_read = s;
    for (const BufferId output : plan_.outputs) contents_[output].last_read = plan_.steps.size();
    for (BufferId id = 0; id < std::ssize(plan_.buffers); ++id) {
      const Buffer& buffer = plan_.buffer(id);
      if (buffer.node >= 0)
        require(buffer.bytes == static_cast<std::size_t>(count_of(buffer.node)) * bytes_of(plan_.dtype),
                "the buffer of {} has {} bytes", text(buffer.node), buffer.bytes);
      if (in_arena(id)) continue;
      contents_[id].value = buffer.node;
      if (buffer.space != Buffer::Space::variable)
        for (const BufferId other : claim(id, pinned_))
          require(false, "buffers {} and {} overlap", other, id);
    }
  }

  // The cache lines under a buffer; none if it lies elsewhere.
  std::span<BufferId> lines_of(BufferId id, Lines& lines) const {
    const Buffer& buffer = plan_.buffer(id);
    const std::size_t begin = buffer.offset / alignment,
                      end = align_up(buffer.offset + buffer.bytes) / alignment;
    return end <= lines.size() ? std::span(lines).subspan(begin, end - begin) : std::span<BufferId>();
  }

  // Gives a buffer its place, and tells whose it was.
  std::set<BufferId> claim(BufferId id, Lines& lines) {
    const std::span<BufferId> mine = lines_of(id, lines);
    require(!plan_.placed || (!mine.empty() && plan_.buffer(id).offset % alignment == 0),
            "buffer {} lies at {}, outside of its memory or between cache lines", id,
            plan_.buffer(id).offset);
    std::set<BufferId> before(mine.begin(), mine.end());
    before.erase(no_buffer);
    std::ranges::fill(mine, id);
    return before;
  }

  void check_read(BufferId id, NodeId node) {
    const NodeId value = contents_[id].value;
    require(value == origin(graph_, node), "{} is read from buffer {}, which {}", text(node), id,
            value < 0 ? "nothing has written" : "holds " + text(value));
    if (in_arena(id))
      require(std::ranges::count(lines_of(id, arena_), id) == std::ssize(lines_of(id, arena_)),
              "{} is read from buffer {} after its memory was given to another", text(node), id);
  }

  void check_write(std::size_t s, const Step::Result& result) {
    const Step& step = plan_.steps[s];
    const Buffer& buffer = plan_.buffer(result.buffer);
    require(count_of(result.node) == element_count(buffer.extents), "{} is written to a buffer of {}",
            text(result.node), to_string(buffer.extents));
    require(buffer.space != Buffer::Space::variable || step.kind == Step::Kind::copy ||
                may_overwrite(step, result.buffer),
            "{} is written over a variable that the step does not read element by element",
            text(result.node));
    contents_[result.buffer].value =
        origin(graph_, step.kind == Step::Kind::copy ? step.operands.front().node : result.node);
    if (in_arena(result.buffer)) take_memory(s, result.buffer);
    if (plan_.placed && step.kind == Step::Kind::fused && !result.deferred) check_order(step, result);
  }

  // A loop must not write a value where an operand lies that it reads later.
  void check_order(const Step& step, const Step::Result& result) {
    for (const auto& [id, node, access, period] : step.loop_operands()) {
      const bool same_place =
          id == result.buffer || (id != no_buffer && in_arena(id) && in_arena(result.buffer) &&
                                  plan_.buffer(id).offset == plan_.buffer(result.buffer).offset);
      require(!same_place || last_reader(plan_, step, node) <= position_of(plan_, step, result.node),
              "{} is written over {} before that is read for the last time", text(result.node), text(node));
    }
  }

  // Step s takes over the memory of a buffer: from the dead or, for a result, from an operand in place.
  void take_memory(std::size_t s, BufferId id) {
    contents_[id].written = s;
    const Step& step = plan_.steps[s];
    for (const BufferId other : claim(id, arena_)) {
      const Buffer &mine = plan_.buffer(id), &theirs = plan_.buffer(other);
      const bool in_place = contents_[other].last_read == s && id != step.workspace &&
                            mine.offset == theirs.offset && mine.bytes == theirs.bytes &&
                            may_overwrite(step, other);
      require(contents_[other].written < s && (contents_[other].last_read < s || in_place),
              "step {} writes buffer {} over buffer {}, which is still needed", s, id, other);
    }
  }

  const Plan& plan_;
  const Graph& graph_;
  ById<Contents> contents_;  // by buffer
  Lines arena_;
  Lines pinned_;
};

}  // namespace

std::vector<std::string> faults_of(const Program& program) {
  const Graph& graph = *program.graph;
  Faults faults;
  for (NodeId id = 0; id < graph.size(); ++id) check_node(graph, id, faults);
  const auto is_value = [&](NodeId id) { return id >= 0 && id < graph.size() && !graph[id].tuple; };
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
