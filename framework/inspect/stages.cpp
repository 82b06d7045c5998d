#include "gradus/inspect/stages.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <vector>

#include "framework/compile/compile.hpp"

namespace gradus {

namespace {

using Counts = std::map<std::string, int, std::less<>>;

Counts counts_of(const Graph& graph) {
  Counts counts;
  for (NodeId id = 0; id < graph.size(); ++id) ++counts[std::string(graph[id].name())];
  return counts;
}

// "+1 sigmoid_of_sum, -1 add", or "nothing".
std::string difference(const Counts& before, const Counts& after) {
  Counts changes = after;
  for (const auto& [name, count] : before) changes[name] -= count;
  std::vector<std::string> texts;
  for (const auto& [name, change] : changes)
    if (change != 0) texts.push_back(fmt::format("{:+} {}", change, name));
  return texts.empty() ? "nothing" : fmt::format("{}", fmt::join(texts, ", "));
}

std::string steps_text(const Plan& plan) {
  std::size_t ops = 0, fused = 0, with_producer = 0, nodes = 0, copies = 0;
  for (const Step& step : plan.steps) {
    ops += step.kind == Step::Kind::op ? 1 : 0;
    copies += step.kind == Step::Kind::copy ? 1 : 0;
    if (step.kind != Step::Kind::fused) continue;
    ++fused;
    nodes += step.nodes.size();
    with_producer += step.producer_operands > 0 ? 1 : 0;
  }
  return fmt::format(
      "{} steps: {} ops alone, {} fused loops of {} nodes, {} of them with a producer, {} copies",
      plan.steps.size(), ops, fused, nodes, with_producer, copies);
}

std::string buffers_text(const Plan& plan) {
  std::size_t temporaries = 0, in_variables = 0;
  for (const Step& step : plan.steps)
    for (const auto& result : step.results)
      ++(plan.buffer(result.buffer).space == Buffer::Space::variable ? in_variables : temporaries);
  return fmt::format("{} values in buffers of their own, {} written straight into variables", temporaries,
                     in_variables);
}

std::string memory_text(const Plan& plan) {
  std::size_t apart = 0, in_place = 0;
  for (const Step& step : plan.steps)
    for (const auto& result : step.results) {
      const Buffer& buffer = plan.buffer(result.buffer);
      if (buffer.space != Buffer::Space::arena) continue;
      apart += buffer.bytes;
      in_place += buffer.in_place ? 1 : 0;
    }
  return fmt::format(
      "arena of {} bytes for {} bytes of temporaries, {} of them in place; {} bytes of inputs "
      "and constants",
      plan.arena_bytes, apart, in_place, plan.pinned_bytes);
}

}  // namespace

std::string stages_text(std::span<const Expr> outputs, std::span<const Update> updates, std::int64_t batch) {
  std::string text;
  Counts before;
  make_plan(outputs, updates, {.dims = batch},
            [&](std::string_view stage, const Program& program, const Plan* plan) {
              std::string changed;
              if (plan == nullptr) {
                const Counts after = counts_of(*program.graph);
                changed = fmt::format("{} nodes: {}", program.graph->size(), difference(before, after));
                before = after;
              } else {
                changed = stage == "fuse" ? steps_text(*plan)
                          : plan->placed  ? memory_text(*plan)
                                          : fmt::format("{}; {}", steps_text(*plan), buffers_text(*plan));
              }
              text += fmt::format("{:<13} {}\n", stage, changed);
            });
  return text;
}

}  // namespace gradus
