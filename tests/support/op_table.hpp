#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/ops.hpp"
#include "tests/support/evaluate.hpp"

/// One row per op: all that op_test.cpp needs to test its value, its first and its second derivative.
namespace gradus::test {

/// The set that an input's values are drawn from.
struct Domain {
  /// How far values stay away from kinks and from each other: more than any difference moves them.
  static constexpr double margin = 0.05;

  double low = -2;
  double high = 2;
  std::vector<double> kinks = {};  ///< no value is nearer than the margin to one of these
  bool apart = false;  ///< no two values are nearer than the margin, in all inputs of the row that say so
  bool whole = false;  ///< whole numbers only
};

inline Domain between(double low, double high) { return {.low = low, .high = high}; }
inline Domain without(std::vector<double> kinks) { return {.kinks = std::move(kinks)}; }
inline Domain apart() { return {.apart = true}; }
inline Domain whole(double low, double high) { return {.low = low, .high = high, .whole = true}; }

struct RowInput {
  Shape shape;
  Domain domain = {};
  bool differentiable = true;
};

inline RowInput in(Shape shape, Domain domain = {}) { return {std::move(shape), std::move(domain)}; }
/// An input without a gradient path: its gradient is zero.
inline RowInput fixed(Shape shape, Domain domain = {}) {
  return {std::move(shape), std::move(domain), false};
}

struct OpRow {
  std::string op;          ///< the name of the op
  std::string label = {};  ///< tells the rows of one op apart
  std::vector<RowInput> inputs = {};
  std::function<Expr(Graph&, const Exprs&)> build = {};
  /// The value in double, from concrete inputs, without gradus.
  std::function<Tensor(const Tensors&)> reference = {};
  /// A sample's result depends on other samples, or an extent is not a multiple of B: batch gradients are
  /// not those of the samples.
  bool mixes_batch = false;
  bool composed = false;  ///< of several ops: stands for none of them
  bool twice = true;      ///< can be differentiated twice
  double tolerance = 1e-14;
  double gradient_tolerance = 1e-10;
  double second_tolerance = 1e-9;
  double float_tolerance = 2e-5;

  std::string name() const { return label.empty() ? op : op + "_" + label; }
  bool differentiable() const;
  bool batched() const;
};

const std::vector<OpRow>& op_table();

inline std::ostream& operator<<(std::ostream& out, const OpRow& row) { return out << row.name(); }

/// Values of the row's inputs from their domains: always the same for the same batch.
Tensors sample(const OpRow& row, std::int64_t batch);
/// Numbers of magnitude 0.5 to 1.5 and either sign, for cotangents and tangents.
Tensor random_direction(const Extents& extents, std::uint64_t seed);

/// A row at a point: its value, its vjp with a random cotangent, its jvp with random tangents, and the vjp of
/// its vjp.
struct Case {
  Case(const OpRow& row, std::int64_t batch);
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;

  template <class T = double>
  Evaluator<T> compile(const Exprs& outputs, const CompileOptions& options = {}) const {
    Evaluator<T> evaluator(outputs, batch, options);
    evaluator.set(leaves, values);
    return evaluator;
  }

  /// Value and vjp.
  Exprs value_and_pulled() const;
  /// All that is computed from the row.
  Exprs everything() const;

  std::int64_t batch;
  Graph graph;
  Exprs leaves;  ///< inputs and directions, with their values
  Tensors values;
  Exprs x;  ///< the inputs, with their values
  Tensors inputs;
  std::vector<std::size_t> wrt;  ///< which inputs are differentiable
  Expr output;
  Tensor cotangent;
  Exprs pulled;     ///< the cotangent of each input
  Exprs gradients;  ///< of each differentiable input
  Tensors tangents;
  Expr pushed;
  Tensors weights;
  Exprs second;  ///< the gradient of ⟨gradients, weights⟩

 private:
  Expr leaf(const std::string& name, const Shape& shape, Tensor value);
  /// A leaf that holds a random direction, which is appended to `directions`.
  Expr direction(const std::string& name, const Shape& shape, Tensors& directions);
};

/// Runs `test` on the row at a batch of 1, 3 and 17.
template <class Test> void for_each_batch(const OpRow& row, Test test) {
  for (const std::int64_t batch : {1, 3, 17}) {
    SCOPED_TRACE(testing::Message() << "batch " << batch);
    test(Case(row, batch));
    if (!row.batched()) break;
  }
}

/// For INSTANTIATE_TEST_SUITE_P.
std::vector<OpRow> rows_where(bool (*wanted)(const OpRow&));
inline std::string row_name(const testing::TestParamInfo<OpRow>& info) { return info.param.name(); }

// The parts of the table.
std::vector<OpRow> arithmetic_rows();
std::vector<OpRow> function_rows();
std::vector<OpRow> activation_rows();
std::vector<OpRow> structure_rows();
std::vector<OpRow> reduction_rows();
std::vector<OpRow> matmul_rows();

/// f(at(0), at(1), …) with as many arguments of type A as f takes.
template <class A, std::size_t... I, class F, class At>
auto call_with(const F& f, const At& at, std::index_sequence<I...>) {
  if constexpr (std::is_invocable_v<const F&, std::enable_if_t<I + 1 != 0, A>...>)
    return f(at(I)...);
  else
    return call_with<A>(f, at, std::make_index_sequence<sizeof...(I) + 1>());
}
template <class A, class F, class At> auto call(const F& f, const At& at) {
  return call_with<A>(f, at, std::index_sequence<0>());
}

/// A row's builder from a function of its input expressions.
template <class F> auto on(F f) {
  return [f](Graph&, const Exprs& x) { return Expr(call<Expr>(f, [&](std::size_t i) { return x.at(i); })); };
}

/// A tensor's element at an index of what it is broadcast to.
double broadcast_at(const Tensor& x, const Extents& index);
Extents broadcast_extents(const Tensors& inputs);

/// A reference from a function of numbers, with NumPy's broadcasting.
template <class F> auto pointwise(F f) {
  return [f](const Tensors& x) {
    return generate(broadcast_extents(x), [&](const Extents& i) -> double {
      return call<double>(f, [&](std::size_t k) { return broadcast_at(x.at(k), i); });
    });
  };
}

}  // namespace gradus::test
