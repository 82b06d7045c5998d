#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "framework/compile/plan.hpp"
#include "gradus/graph/graph.hpp"
#include "gradus/graph/node.hpp"
#include "gradus/runtime/executable.hpp"

/// Graphs of ops of the tests' own, and what is in a graph.
namespace gradus::test {

/// Applies an op of its own, not by a builder.
template <class ConcreteOp> Expr apply(ConcreteOp op, std::initializer_list<Arg> operands) {
  return make_node(std::make_shared<const ConcreteOp>(std::move(op)),
                   std::span(operands.begin(), operands.size()));
}

using OpCounts = std::map<std::string, int, std::less<>>;

/// How many nodes of each op the graph has, from node `first` on.
inline OpCounts op_counts(const Graph& graph, NodeId first = 0) {
  OpCounts counts;
  for (NodeId id = first; id < graph.size(); ++id) ++counts[std::string(graph[id].name())];
  return counts;
}

inline int op_count(const Graph& graph, std::string_view op) {
  const OpCounts counts = op_counts(graph);
  const auto found = counts.find(op);
  return found == counts.end() ? 0 : found->second;
}

/// The nodes that are left after the passes.
template <class T> OpCounts op_counts(const Executable<T>& executable) {
  return op_counts(*executable.plan().program.graph);
}

}  // namespace gradus::test
