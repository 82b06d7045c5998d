#include "framework/inspect/boxes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace gradus {

namespace {

using Out = std::back_insert_iterator<std::string>;

// Light enough for black text, and told apart by their titles where there is no colour.
std::string_view colour_of(Part part) {
  switch (part) {
    case Part::model:
      return "#E3F0FA";
    case Part::loss:
      return "#FBF3CF";
    case Part::gradient:
      return "#FBE6DA";
    case Part::optimizer:
      return "#E4E4EE";
  }
  return {};
}

std::string_view title_of(Part part) {
  switch (part) {
    case Part::model:
      return "model (forward)";
    case Part::loss:
      return "loss";
    case Part::gradient:
      return "gradients (backward)";
    case Part::optimizer:
      return "optimizer: new parameters and states";
  }
  return {};
}

// "block12/conv3" becomes "block#/conv#".
std::string without_numbers(const std::string& scope) {
  std::string result;
  for (const char c : scope) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit)
      result += c;
    else if (result.empty() || result.back() != '#')
      result += '#';
  }
  return result;
}

std::string first_components(const std::string& scope, std::size_t count) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < count && end != std::string::npos; ++i)
    end = scope.find('/', end + (i > 0 ? 1 : 0));
  return scope.substr(0, end);
}

struct Group {
  Part part = Part::model;
  std::string scope;  ///< what its boxes have in common
  std::vector<std::size_t> members;
};

struct Grouping {
  std::vector<Group> groups;
  std::vector<std::size_t> of;  ///< the group of each box
};

// How coarse a picture is: scopes in full, then without numbers, then of fewer and fewer components.
struct Level {
  bool numbers;
  std::size_t components;
  bool origins;  ///< what has no scope is told by its line
};

Grouping grouped(const std::vector<Box>& boxes, const Level& level) {
  Grouping result;
  std::map<std::pair<Part, std::string>, std::size_t> known;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Box& box = boxes[i];
    std::string scope = first_components(box.place.scope, level.components);
    if (!level.numbers) scope = without_numbers(scope);
    if (scope.empty() && box.leaf && level.origins)
      scope = "inputs and constants";
    else if (scope.empty() && level.origins && box.place.part == Part::loss)
      scope = "loss";
    else if (scope.empty() && level.origins)
      scope = box.origin;
    const auto [found, is_new] = known.try_emplace({box.place.part, scope}, result.groups.size());
    if (is_new) result.groups.push_back({box.place.part, scope, {}});
    result.groups[found->second].members.push_back(i);
    result.of.push_back(found->second);
  }
  return result;
}

std::size_t depth_of(const std::vector<Box>& boxes) {
  std::size_t depth = 0;
  for (const Box& box : boxes)
    depth = std::max(depth, 1 + static_cast<std::size_t>(std::ranges::count(box.place.scope, '/')));
  return depth;
}

Grouping folded(const std::vector<Box>& boxes, std::size_t most_boxes) {
  const std::size_t depth = depth_of(boxes);
  std::vector<Level> levels{{true, depth, true}, {false, depth, true}};
  for (std::size_t components = depth; components-- > 0;)
    levels.push_back({false, components, components > 0});
  Grouping result;
  for (const Level& level : levels) {
    result = grouped(boxes, level);
    if (result.groups.size() <= most_boxes) break;
  }
  return result;
}

// Clusters in clusters: parts, then the components of scopes.
struct Cluster {
  std::map<std::string, Cluster> inner;
  std::string content;
};

void write(Out out, const Cluster& root, Part part, int& number) {
  // Without recursion: a stack of what is open.
  struct Open {
    std::map<std::string, Cluster>::const_iterator at, end;
  };
  fmt::format_to(out, "{}", root.content);
  std::vector<Open> open{{root.inner.begin(), root.inner.end()}};
  while (!open.empty()) {
    if (open.back().at == open.back().end) {
      open.pop_back();
      if (!open.empty()) fmt::format_to(out, "}}\n");
      continue;
    }
    const auto& [name, cluster] = *open.back().at++;
    fmt::format_to(
        out,
        "subgraph cluster_{} {{ label=\"{}\"; fontsize=13; style=\"filled,rounded\"; fillcolor=\"white\"; "
        "color=\"#808080\";\n{}",
        number++, dot_escaped(part == Part::gradient ? "gradient of " + name : name), cluster.content);
    open.push_back({cluster.inner.begin(), cluster.inner.end()});
  }
}

Cluster& cluster_at(Cluster& root, const std::string& scope) {
  Cluster* cluster = &root;
  for (std::size_t begin = 0; begin < scope.size();) {
    const std::size_t end = std::min(scope.find('/', begin), scope.size());
    cluster = &cluster->inner[scope.substr(begin, end - begin)];
    begin = end + 1;
  }
  return *cluster;
}

std::string document(const std::map<Part, Cluster>& parts, const std::string& wires,
                     const std::string& legend) {
  std::string text = fmt::format(
      "digraph gradus {{\n  graph [fontname=\"Helvetica,Arial,sans-serif\", label=\"{}\", labelloc=t, "
      "fontsize=14, "
      "rankdir=TB, nodesep=0.25, ranksep=0.35, bgcolor=white];\n"
      "  node [fontname=\"Helvetica,Arial,sans-serif\", fontsize=11, style=filled, fillcolor=white, "
      "margin=\"0.08,0.04\"];\n"
      "  edge [fontname=\"Helvetica,Arial,sans-serif\", fontsize=9, color=\"#505050\", arrowsize=0.7];\n",
      dot_escaped(legend));
  const Out out(text);
  int number = 0;
  for (const auto& [part, cluster] : parts) {
    fmt::format_to(
        out,
        "subgraph cluster_{} {{ label=\"{}\"; fontsize=16; style=\"filled,rounded\"; fillcolor=\"{}\"; "
        "color=\"#505050\";\n",
        number++, title_of(part), colour_of(part));
    write(out, cluster, part, number);
    fmt::format_to(out, "}}\n");
  }
  return text + wires + "}\n";
}

std::string in_full(const std::vector<Box>& boxes, const std::vector<Wire>& wires,
                    const std::string& legend) {
  std::map<Part, Cluster> parts;
  std::string lines;
  std::vector<bool> referred(boxes.size(), false);
  std::set<std::pair<std::size_t, std::string>> references;
  for (const Wire& wire : wires) {
    const Box &from = boxes[wire.from], &to = boxes[wire.to];
    const bool onward = (from.place.part == Part::model && to.place.part == Part::loss) ||
                        (from.place.part == Part::gradient && to.place.part == Part::optimizer);
    const bool apart = from.leaf ? from.place.part != to.place.part || from.place.scope != to.place.scope
                                 : from.place.part != to.place.part && !onward;
    // A value from far away is named, not wired, so that the layout keeps to the parts.
    if (wire.drawn_far || !apart ||
        (from.leaf && from.place.scope.empty() && from.place.part == to.place.part)) {
      lines += fmt::format("n{} -> n{} [label=\"{}\"];\n", wire.from, wire.to, dot_escaped(wire.label));
      continue;
    }
    const std::string id = fmt::format("r{}_{}", wire.from, wire.to);
    if (!references.emplace(wire.from, id).second) continue;
    referred[wire.from] = true;
    cluster_at(parts[to.place.part], to.place.scope).content +=
        fmt::format("  {} [shape=plaintext, style=\"\", fontcolor=\"#303080\", label=\"{}\"];\n", id,
                    dot_escaped(from.name));
    lines += fmt::format("{} -> n{} [style=dashed, label=\"{}\"];\n", id, wire.to, dot_escaped(wire.label));
  }
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Box& box = boxes[i];
    const std::string label = referred[i] && !box.number.empty() ? box.label + "\n" + box.number : box.label;
    cluster_at(parts[box.place.part], box.place.scope).content += fmt::format(
        "  n{} [label=\"{}\"{}{}];\n", i, dot_escaped(label), box.style.empty() ? "" : ", ", box.style);
  }
  return document(parts, lines, legend);
}

std::string label_of(const Group& group, const std::vector<Box>& boxes) {
  std::set<std::string> scopes;
  std::size_t ops = 0;
  for (const std::size_t i : group.members) {
    scopes.insert(boxes[i].place.scope);
    ops += boxes[i].leaf ? 0 : 1;
  }
  std::vector<std::string> counts;
  if (scopes.size() > 1) counts.push_back(fmt::format("{} layers", scopes.size()));
  if (ops > 0) counts.push_back(fmt::format("{} ops", ops));
  if (group.members.size() > ops)
    counts.push_back(fmt::format("{} variables or inputs", group.members.size() - ops));
  return fmt::format("{}{}\n{}", group.part == Part::gradient && !group.scope.empty() ? "gradient of " : "",
                     group.scope.empty() ? std::string(to_string(group.part)) : group.scope,
                     fmt::join(counts, ", "));
}

std::string in_groups(const std::vector<Box>& boxes, const std::vector<Wire>& wires,
                      const std::string& legend, const Grouping& grouping) {
  std::map<Part, Cluster> parts;
  for (std::size_t g = 0; g < grouping.groups.size(); ++g) {
    const Group& group = grouping.groups[g];
    // A single box stays what it is.
    const bool alone = group.members.size() == 1;
    const Box& first = boxes[group.members.front()];
    const std::size_t slash = group.scope.rfind('/');
    cluster_at(parts[group.part], slash == std::string::npos ? "" : group.scope.substr(0, slash)).content +=
        fmt::format("  g{} [label=\"{}\", {}];\n", g,
                    dot_escaped(alone ? first.label : label_of(group, boxes)),
                    alone && !first.style.empty() ? first.style : "shape=box3d");
  }
  std::map<std::pair<std::size_t, std::size_t>, std::set<std::string>> between;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> count;
  for (const Wire& wire : wires) {
    const std::pair ends{grouping.of[wire.from], grouping.of[wire.to]};
    if (ends.first == ends.second) continue;
    between[ends].insert(wire.label);
    ++count[ends];
  }
  std::string lines;
  for (const auto& [ends, labels] : between)
    lines += fmt::format(
        "g{} -> g{} [label=\"{}\"];\n", ends.first, ends.second,
        dot_escaped(labels.size() == 1 && count[ends] == 1 ? *labels.begin()
                                                           : fmt::format("{} tensors", count[ends])));
  const std::string note =
      fmt::format("{} boxes folded into {} by scope", boxes.size(), grouping.groups.size());
  return document(parts, lines, legend.empty() ? note : legend + "\n" + note);
}

}  // namespace

std::string dot_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result;
}

std::string clustered_dot(const std::vector<Box>& boxes, const std::vector<Wire>& wires,
                          const std::string& legend, std::size_t most_boxes) {
  if (boxes.size() <= most_boxes) return in_full(boxes, wires, legend);
  return in_groups(boxes, wires, legend, folded(boxes, most_boxes));
}

}  // namespace gradus
