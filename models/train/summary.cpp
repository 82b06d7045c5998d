#include "gradus/train/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "gradus/graph/node.hpp"

namespace gradus {

namespace {

// 101,770.
std::string grouped(std::int64_t number) {
  std::string text = fmt::format("{}", number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

struct Counts {
  std::int64_t trainable = 0;
  std::int64_t fixed = 0;
};

struct Line {
  std::string name;
  Shape shape;
  Counts counts;
};

using Names = std::set<std::string, std::less<>>;

Names updated_by(std::span<const Update> updates) {
  Names names;
  for (const Update& update : updates) names.insert(update.variable.graph()[update.variable.id()].label);
  return names;
}

// Running means are updated, too, but not trained.
Counts counts_of(const Variable& variable, const Shape& shape, const Names& updated) {
  const std::int64_t count = element_count(shape.resolve({}));
  return variable.trainable && updated.contains(variable.name) ? Counts{count, 0} : Counts{0, count};
}

std::int64_t variables_in(const Graph& graph) {
  std::int64_t count = 0;
  for (NodeId id = 0; id < graph.size(); ++id)
    if (graph[id].variable() != nullptr) count += element_count(graph[id].shape.resolve({}));
  return count;
}

// Inputs and named nodes, in order; variables count for the first node whose name is theirs up to the last
// slash: a shared layer is named once for each use.
std::vector<Line> lines_of(const Graph& graph, NodeId last, const Names& updated) {
  std::map<std::string, Counts, std::less<>> by_owner;
  const auto is_named = [&](std::string_view owner) {
    for (NodeId id = 0; id < graph.size(); ++id)
      if (graph[id].label == owner && graph[id].variable() == nullptr) return true;
    return false;
  };
  std::vector<Line> lines;
  for (NodeId id = 0; id <= last; ++id) {
    const Node& node = graph[id];
    const Variable* variable = graph[id].variable();
    if (variable == nullptr) {
      if (!node.label.empty()) lines.push_back({node.label, node.shape, {}});
      continue;
    }
    const std::string owner = variable->name.substr(0, variable->name.rfind('/'));
    const Counts own = counts_of(*variable, graph[id].shape, updated);
    if (owner == variable->name || !is_named(owner)) {
      lines.push_back({variable->name, node.shape, own});
      continue;
    }
    by_owner[owner].trainable += own.trainable;
    by_owner[owner].fixed += own.fixed;
  }
  for (Line& line : lines)
    if (const auto found = by_owner.extract(line.name); !found.empty()) line.counts = found.mapped();
  return lines;
}

}  // namespace

std::string summary_of(const Expr& prediction, const Graph& training, std::span<const Update> updates) {
  const std::vector<Line> lines = lines_of(prediction.graph(), prediction.id(), updated_by(updates));
  std::size_t name_width = 5, shape_width = 5;
  Counts total;
  for (const Line& line : lines) {
    name_width = std::max(name_width, line.name.size());
    shape_width = std::max(shape_width, to_string(line.shape).size());
    total.trainable += line.counts.trainable;
    total.fixed += line.counts.fixed;
  }
  std::string text =
      fmt::format("{:<{}}  {:<{}}  {:>12}\n", "layer", name_width, "shape", shape_width, "parameters");
  text += std::string(name_width + shape_width + 16, '-') + "\n";
  for (const Line& line : lines)
    text += fmt::format("{:<{}}  {:<{}}  {:>12}\n", line.name, name_width, to_string(line.shape), shape_width,
                        grouped(line.counts.trainable + line.counts.fixed));
  text += std::string(name_width + shape_width + 16, '-') + "\n";
  const std::int64_t all = total.trainable + total.fixed;
  return text + fmt::format("parameters: {} ({} trained, {} not); optimizer and generator: {}\n",
                            grouped(all), grouped(total.trainable), grouped(total.fixed),
                            grouped(variables_in(training) - all));
}

}  // namespace gradus
