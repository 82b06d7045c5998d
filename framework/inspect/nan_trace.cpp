#include "gradus/inspect/nan_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradus {

namespace {

std::string range_text(std::span<const double> values) {
  double low = HUGE_VAL, high = -HUGE_VAL;
  std::size_t bad = 0;
  for (const double v : values) {
    if (!std::isfinite(v)) {
      ++bad;
      continue;
    }
    low = std::min(low, v);
    high = std::max(high, v);
  }
  std::string text =
      low > high ? std::string("no finite entry") : fmt::format("in [{:.6g}, {:.6g}]", low, high);
  if (bad > 0) text += fmt::format(", {} of {} not finite", bad, values.size());
  return text;
}

}  // namespace

template <class T>
std::optional<NanTrace> trace_nan(std::span<const Expr> exprs, const Point& point, std::int64_t batch) {
  const NodeValues all = evaluate_nodes<T>(exprs, point, batch);
  const Graph& graph = *all.graph;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto& values = all.values[static_cast<std::size_t>(id)];
    const auto bad = std::ranges::find_if(values, [](double v) { return !std::isfinite(v); });
    if (bad == values.end()) continue;
    // In order of ids, so all inputs are finite; those of one output of several are its op's.
    const Node& node = graph[id].output() == nullptr ? graph[id] : graph[graph[id].inputs.front()];
    const Output* output = graph[id].output();
    const std::string name =
        output == nullptr ? graph.describe(id)
                          : fmt::format("output {} of {} {}", output->index,
                                        graph.describe(graph[id].inputs.front()), to_string(graph[id].shape));
    NanTrace trace{name, node.where, {}};
    trace.text = fmt::format("{} at {} is the first that is not finite: entry {} is {}", trace.node,
                             to_string(node.where), bad - values.begin(), *bad);
    for (const NodeId input : node.inputs)
      trace.text += fmt::format("\n  input {} is {}", graph.describe(input),
                                range_text(all.values[static_cast<std::size_t>(input)]));
    return trace;
  }
  return std::nullopt;
}

template std::optional<NanTrace> trace_nan<float> GRADUS_PUBLIC(std::span<const Expr>, const Point&,
                                                                std::int64_t);
template std::optional<NanTrace> trace_nan<double> GRADUS_PUBLIC(std::span<const Expr>, const Point&,
                                                                 std::int64_t);

}  // namespace gradus
