#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "framework/compile/plan.hpp"
#include "gradus/base/error.hpp"
#include "gradus/graph/graph.hpp"
#include "gradus/graph/node.hpp"
#include "gradus/runtime/executable.hpp"

/// What tests share: values of expressions at given values of their leaves, and comparisons that cannot lie.
namespace gradus::test {

using Exprs = std::vector<Expr>;

/// Numbers with extents, row-major.
struct Tensor {
  Extents extents;
  std::vector<double> values;

  /// A vector or, from one number, a scalar.
  static Tensor vector(std::vector<double> numbers) {
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

/// Expressions compiled once, to be run at many values of their leaves.
template <class T> class Evaluator {
 public:
  explicit Evaluator(const Exprs& outputs, std::int64_t batch = 1, const CompileOptions& options = {})
      : count_(outputs.size()),
        executable_(compile<T>(std::span<const Expr>(outputs), {}, batch, store_, options)) {}

  /// Sets an input or a variable. A leaf on which no output depends is ignored.
  void set(const Expr& leaf, const Tensor& value) {
    const std::vector<T> values(value.values.begin(), value.values.end());
    const Node& node = leaf.graph()[leaf.id()];
    if (const Variable* variable = node.variable()) {
      if (store_.contains(variable->name)) store_.set(variable->name, value.values);
    } else if (uses(node.input())) {
      executable_.feed(leaf, values, value.extents);
    }
  }
  void set(const Exprs& leaves, const Tensors& values) {
    for (std::size_t i = 0; i < leaves.size(); ++i) set(leaves[i], values.at(i));
  }

  /// The values of all outputs after a run.
  std::vector<std::vector<T>> run() {
    executable_.run();
    std::vector<std::vector<T>> values;
    for (std::size_t i = 0; i < count_; ++i) {
      const auto view = executable_.output(i).values;
      values.emplace_back(view.begin(), view.end());
    }
    return values;
  }

  const Extents& extents(std::size_t output = 0) const { return executable_.output(output).extents; }

 private:
  bool uses(const Input* leaf) const {
    const Plan& plan = executable_.plan();
    return std::ranges::any_of(plan.program.inputs, [&](NodeId id) { return plan.node(id).input() == leaf; });
  }

  std::size_t count_;
  Store<T> store_;
  Executable<T> executable_;
};

/// A leaf and its value.
struct LeafValue {
  Expr leaf;
  Tensor value;
};

/// The values of expressions, once.
template <class T = double>
std::vector<std::vector<T>> evaluate(const Exprs& outputs, const std::vector<LeafValue>& leaves = {},
                                     std::int64_t batch = 1, const CompileOptions& options = {}) {
  Evaluator<T> evaluator(outputs, batch, options);
  for (const auto& [leaf, value] : leaves) evaluator.set(leaf, value);
  return evaluator.run();
}

template <class T = double>
std::vector<T> evaluate(const Expr& output, const std::vector<LeafValue>& leaves = {}, std::int64_t batch = 1,
                        const CompileOptions& options = {}) {
  return evaluate<T>(Exprs{output}, leaves, batch, options).front();
}

/// The message of the Error that `f` throws, or "no error".
template <class F> std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// Passes when no difference exceeds `tolerance` times the largest magnitude expected; where only zeros are
/// expected, that means equality. What is not finite never passes, on either side.
template <class A, class E>
testing::AssertionResult close(const std::vector<A>& actual, const std::vector<E>& expected,
                               double tolerance) {
  if (actual.size() != expected.size())
    return testing::AssertionFailure() << actual.size() << " values, not " << expected.size();
  double largest = 0;
  double worst = 0;
  std::size_t where = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const auto a = static_cast<double>(actual[i]);
    const auto e = static_cast<double>(expected[i]);
    if (!std::isfinite(a) || !std::isfinite(e))
      return testing::AssertionFailure() << "not finite at " << i << ": " << a << ", expected " << e;
    largest = std::max(largest, std::abs(e));
    if (std::abs(a - e) > worst) {
      worst = std::abs(a - e);
      where = i;
    }
  }
  if (worst <= tolerance * largest) return testing::AssertionSuccess() << "as close as expected";
  return testing::AssertionFailure() << "at " << where << ": " << actual[where] << ", expected "
                                     << expected[where] << "; off by " << worst / largest
                                     << " of the largest entry, not " << tolerance;
}

/// Passes when both hold the same bits: 0 is not -0, a NaN is itself.
template <class T>
testing::AssertionResult same_bits(const std::vector<T>& actual, const std::vector<T>& expected) {
  if (actual.size() != expected.size())
    return testing::AssertionFailure() << actual.size() << " values, not " << expected.size();
  for (std::size_t i = 0; i < actual.size(); ++i)
    if (std::memcmp(&actual[i], &expected[i], sizeof(T)) != 0)
      return testing::AssertionFailure() << "at " << i << ": " << testing::PrintToString(actual[i])
                                         << ", expected " << testing::PrintToString(expected[i]);
  return testing::AssertionSuccess();
}

}  // namespace gradus::test
