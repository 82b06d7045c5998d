#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradus/graph/elementwise.hpp"
#include "gradus/graph/graph.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/simd/math.hpp"
#include "gradus/simd/vector_math.hpp"

/// The means by which the source file of an op makes its kernels and its reverse rule from a rule. Programs
/// that only use the op need not include it.
namespace GRADUS_PUBLIC gradus {

namespace detail {

// The operands of an elementwise op, made of one shape by NumPy's rule with explicit broadcast_to nodes; a
// number takes the others' shape. Operands that are wrong stay as they are: make_node reports them.
std::vector<Arg> broadcast_operands(std::span<const Arg> operands);

// A number, where all operands are numbers; else null.
Expr fold_numbers(const ElementwiseOp& op, std::span<const Arg> operands);

// The cotangents of v's inputs, from a formula of them in a graph of its own: `leaves` stand for the inputs
// there, and `outputs` for the op's.
std::vector<Expr> composite_vjp(std::span<const Expr> outputs, std::span<const Expr> leaves, const Vjp& v);

inline Expr chain(const Expr& cotangent, const Expr& derivative) {
  if (derivative.is_literal() && derivative.literal() == 1) return cotangent;
  return cotangent * derivative;
}

}  // namespace detail

/// Appends a node for `ConcreteOp(attributes...)`: what a builder calls. Elementwise ops broadcast, and make
/// a number of numbers.
template <class ConcreteOp, class... Attributes>
Expr build(std::initializer_list<Arg> operands, Attributes... attributes) {
  auto op = std::make_shared<const ConcreteOp>(std::move(attributes)...);
  const std::span<const Arg> all(operands.begin(), operands.size());
  if constexpr (std::is_base_of_v<ElementwiseOp, ConcreteOp>) {
    const Expr number = detail::fold_numbers(*op, all);
    return number.is_null() ? make_node(std::move(op), detail::broadcast_operands(all)) : number;
  } else {
    return make_node(std::move(op), all);
  }
}

/// The same for an op of several outputs: an expression for each.
template <class ConcreteOp, class... Attributes>
std::vector<Expr> build_outputs(std::initializer_list<Arg> operands, Attributes... attributes) {
  auto op = std::make_shared<const ConcreteOp>(std::move(attributes)...);
  const std::span<const Arg> all(operands.begin(), operands.size());
  if constexpr (std::is_base_of_v<ElementwiseOp, ConcreteOp>)
    return make_nodes(std::move(op), detail::broadcast_operands(all));
  else
    return make_nodes(std::move(op), all);
}

/// An axis of x counted from the front, -1 being the last; fails with the op's name for one that x lacks.
std::int64_t axis_of(std::string_view op, const Arg& x, std::int64_t axis);

/// A differentiable op of one operand. `Rule` adds to `f` its derivative from x and y = f(x), as a formula
/// that also builds graph nodes: `template <class T> T d(T x, T y) const`; or instead a type `Grad`, an op
/// without attributes that makes the cotangent of x from that of y, and y.
template <class Rule> class Unary : public Elementwise<Rule, 1> {
 public:
  std::vector<Expr> vjp(const Vjp& v) const final {
    if constexpr (requires { typename Rule::Grad; })
      return {build<typename Rule::Grad>({v.cotangent, v.output})};
    else
      return {detail::chain(v.cotangent, this->derived().template d<Expr>(v.inputs[0], v.output))};
  }
};

/// A differentiable op of two operands: `Rule` adds the partial derivatives `da(a, b, y)` and `db(a, b, y)`.
template <class Rule> class Binary : public Elementwise<Rule, 2> {
 public:
  std::vector<Expr> vjp(const Vjp& v) const final {
    const Expr &a = v.inputs[0], &b = v.inputs[1];
    std::vector<Expr> cotangents(2);
    if (v.wanted[0])
      cotangents[0] = detail::chain(v.cotangent, this->derived().template da<Expr>(a, b, v.output));
    if (v.wanted[1])
      cotangents[1] = detail::chain(v.cotangent, this->derived().template db<Expr>(a, b, v.output));
    return cotangents;
  }
};

/// A differentiable op of any number of operands that is a formula of other ops: `Rule` gives `f` alone. Its
/// kernel computes the formula in one go, with all that lies between in registers; its reverse rule is the
/// formula's own, built of graph nodes and differentiated like any other expression.
template <class Rule, std::size_t Arity, std::size_t Outputs = 1>
class CompositeOp : public Elementwise<Rule, Arity, Outputs> {
 public:
  std::vector<Expr> vjp(const Vjp& v) const final {
    Graph alone;
    std::vector<Expr> leaves;
    for (const Expr& input : v.inputs)
      leaves.push_back(alone.input(std::to_string(leaves.size()), input.shape()));
    const auto y = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return this->derived().template f<Expr>(leaves[I]...);
    }
    (std::make_index_sequence<Arity>());
    if constexpr (Outputs == 1)
      return detail::composite_vjp({&y, 1}, leaves, v);
    else
      return detail::composite_vjp(y, leaves, v);
  }
};

/// An elementwise op without a derivative, such as a comparison.
template <class Rule, std::size_t Arity> class Undifferentiable : public Elementwise<Rule, Arity> {
 public:
  std::vector<Expr> vjp(const Vjp& v) const final { return no_gradient(v); }
};

}  // namespace gradus
