#pragma once

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/compile/plan.hpp"
#include "gradus/graph/graph.hpp"
#include "gradus/runtime/executable.hpp"

/// What the tests of the framework share.
namespace gradus::test {

/// Applies an op of its own, not by a builder.
template <class ConcreteOp> Expr apply(ConcreteOp op, std::initializer_list<Arg> operands) {
  return make_node(std::make_shared<const ConcreteOp>(std::move(op)),
                   std::span(operands.begin(), operands.size()));
}

/// The message of the Error that `f` throws, with HERE in place of the line of this call.
template <class F> std::string error_of(F f, const Location at = Location::current()) {
  std::string text = "no error";
  try {
    f();
  } catch (const Error& error) {
    text = error.what();
  }
  const std::string here = to_string(Location(at));
  for (std::size_t found = 0; (found = text.find(here, found)) != std::string::npos; ++found) {
    const std::size_t end = found + here.size();
    const bool longer = end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0;
    if (!longer) text.replace(found, here.size(), "HERE");
  }
  return text;
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

struct Feed {
  Expr input;
  std::vector<double> values;
};

/// Feeds doubles, whatever the element type, to the inputs that the program has: a gradient may need fewer.
template <class T> void feed(Executable<T>& executable, const std::vector<Feed>& feeds) {
  for (const auto& [input, values] : feeds) {
    if (!executable.has_input(input.graph()[input.id()].label)) continue;
    const std::vector<T> converted(values.begin(), values.end());
    executable.feed(input, std::span<const T>(converted));
  }
}

template <class T> std::vector<T> values_of(const Executable<T>& executable, std::size_t output = 0) {
  const auto values = executable.output(output).values;
  return {values.begin(), values.end()};
}

template <class T> std::vector<T> values_of(const Store<T>& store, std::string_view name) {
  const auto values = store.values(name);
  return {values.begin(), values.end()};
}

struct EvaluateOptions {
  std::int64_t batch = 1;
  CompileOptions compile = {};
};

/// The values of one expression; variables start with their initializers.
template <class T = double>
std::vector<T> evaluate(const Expr& expr, const std::vector<Feed>& feeds = {},
                        const EvaluateOptions& options = {}) {
  Store<T> store;
  auto executable = compile<T>({expr}, {}, options.batch, store, options.compile);
  feed(executable, feeds);
  executable.run();
  return values_of(executable);
}

/// An initializer that writes these numbers.
inline Initializer starting_at(std::vector<double> numbers) {
  return [numbers = std::move(numbers)](const Extents&, std::uint64_t, std::span<double> values) {
    std::ranges::copy(numbers, values.begin());
  };
}

/// Distinct numbers of both signs, none of them round, for `count` elements.
inline std::vector<double> some_values(std::int64_t count, double scale = 1, int seed = 1) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(scale * (static_cast<double>((i * 7919 + seed * 104729L) % 2003) / 1001.3 - 1.0));
  return values;
}

}  // namespace gradus::test
