#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/graph/graph.hpp"
#include "gradus/graph/node.hpp"
#include "gradus/runtime/executable.hpp"
#include "tests/support/numbers.hpp"

/// Values of expressions at given values of their leaves.
namespace gradus::test {

using Exprs = std::vector<Expr>;

/// Numbers with extents, row-major.
struct Tensor {
  Extents extents;
  Numbers values;

  /// A vector or, from one number, a scalar.
  static Tensor vector(Numbers numbers) {
    return {{static_cast<std::int64_t>(numbers.size())}, std::move(numbers)};
  }
  static Tensor scalar(double number) { return {{}, {number}}; }

  double at(const Extents& index) const { return values.at(offset(index)); }
  double operator()(std::integral auto... index) const {
    return at(Extents{static_cast<std::int64_t>(index)...});
  }
  std::size_t offset(const Extents& index) const {
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < extents.size(); ++axis) offset = offset * extents[axis] + index[axis];
    return static_cast<std::size_t>(offset);
  }
};
using Tensors = std::vector<Tensor>;

/// The tensor whose element at each index is f(index).
template <class F> Tensor generate(const Extents& extents, F f) {
  Tensor made{extents, {}};
  Extents index(extents.size(), 0);
  for (std::int64_t left = element_count(extents); left > 0; --left) {
    made.values.push_back(f(std::as_const(index)));
    for (std::size_t axis = extents.size(); axis-- > 0;) {
      if (++index[axis] < extents[axis]) break;
      index[axis] = 0;
    }
  }
  return made;
}

/// A leaf and its numbers, row-major; those of a tensor must have the leaf's extents, too.
struct Feed {
  Feed(const Expr& to, Numbers numbers) : leaf(to), values(std::move(numbers)) {}
  Feed(const Expr& to, Tensor tensor)
      : leaf(to), values(std::move(tensor.values)), extents(std::move(tensor.extents)) {}

  Expr leaf;
  Numbers values;
  std::optional<Extents> extents;
};

/// Feeds doubles, whatever the element type, to an input, if the program has it: a gradient may need fewer.
template <class T> void feed_leaf(Executable<T>& executable, const Feed& feed) {
  if (!executable.has_input(feed.leaf.graph()[feed.leaf.id()].label)) return;
  const std::vector<T> converted(feed.values.begin(), feed.values.end());
  if (feed.extents)
    executable.feed(feed.leaf, converted, *feed.extents);
  else
    executable.feed(feed.leaf, std::span<const T>(converted));
}

template <class T> void feed(Executable<T>& executable, const std::vector<Feed>& feeds) {
  for (const Feed& each : feeds) feed_leaf(executable, each);
}

template <class T> std::vector<T> values_of(const Executable<T>& executable, std::size_t output = 0) {
  const auto values = executable.output(output).values;
  return {values.begin(), values.end()};
}

template <class T> std::vector<T> values_of(const Store<T>& store, std::string_view name) {
  const auto values = store.values(name);
  return {values.begin(), values.end()};
}

/// All values of a store, by name.
template <class T> std::map<std::string, std::vector<T>> all_values(const Store<T>& store) {
  std::map<std::string, std::vector<T>> all;
  for (const std::string& name : store.names()) all[name] = values_of(store, name);
  return all;
}

/// Expressions compiled once, to be run at many values of their leaves; variables start with their
/// initializers.
template <class T> class Evaluator {
 public:
  explicit Evaluator(const Exprs& outputs, std::int64_t batch = 1, const CompileOptions& options = {})
      : count_(outputs.size()),
        executable_(compile<T>(std::span<const Expr>(outputs), {}, batch, store_, options)) {}

  /// Sets an input or a variable. A leaf on which no output depends is ignored.
  void set(const Feed& leaf) {
    const Variable* variable = leaf.leaf.graph()[leaf.leaf.id()].variable();
    if (variable == nullptr)
      feed_leaf(executable_, leaf);
    else if (store_.contains(variable->name))
      store_.set(variable->name, leaf.values);
  }
  void set(const Expr& leaf, const Tensor& value) { set(Feed(leaf, value)); }
  void set(const Exprs& leaves, const Tensors& values) {
    for (std::size_t i = 0; i < leaves.size(); ++i) set(leaves[i], values.at(i));
  }

  /// The values of all outputs after a run.
  std::vector<std::vector<T>> run() {
    executable_.run();
    std::vector<std::vector<T>> values;
    for (std::size_t i = 0; i < count_; ++i) values.push_back(values_of(executable_, i));
    return values;
  }

  const Extents& extents(std::size_t output = 0) const { return executable_.output(output).extents; }

 private:
  std::size_t count_;
  Store<T> store_;
  Executable<T> executable_;
};

/// The values of expressions, once.
template <class T = double>
std::vector<std::vector<T>> evaluate(const Exprs& outputs, const std::vector<Feed>& feeds = {},
                                     std::int64_t batch = 1, const CompileOptions& options = {}) {
  Evaluator<T> evaluator(outputs, batch, options);
  for (const Feed& leaf : feeds) evaluator.set(leaf);
  return evaluator.run();
}

template <class T = double>
std::vector<T> evaluate(const Expr& output, const std::vector<Feed>& feeds = {}, std::int64_t batch = 1,
                        const CompileOptions& options = {}) {
  return evaluate<T>(Exprs{output}, feeds, batch, options).front();
}

}  // namespace gradus::test
