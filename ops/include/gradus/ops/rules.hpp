#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/graph/elementwise.hpp"
#include "gradus/graph/graph.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/simd/circular_math.hpp"
#include "gradus/simd/error_function.hpp"
#include "gradus/simd/math.hpp"
#include "gradus/simd/vector_math.hpp"

/// The means by which the source file of an op makes its kernels and its reverse rule from a rule. Programs
/// that only use the op need not include it.
namespace GRADUS_PUBLIC gradus {

namespace detail {

// A node for the op, or an expression for each of its outputs. The operands of an elementwise op are made of
// one shape by NumPy's rule with explicit broadcast_to nodes, where a number takes the others' shape.
Expr apply(OpPtr op, std::span<const Arg> operands);
std::vector<Expr> apply_for_outputs(OpPtr op, std::span<const Arg> operands);

// The cotangents of v's inputs, from a formula of them in a graph of its own: `leaves` stand for the inputs
// there, and `outputs` for the op's.
std::vector<Expr> composite_vjp(std::span<const Expr> outputs, std::span<const Expr> leaves, const Vjp& v);

// A derivative may be infinite or NaN where the cotangent is 0.
inline Expr chain(const Expr& cotangent, const Expr& derivative) {
  if (!derivative.is_literal()) return weighted(cotangent, derivative);
  return derivative.literal() == 1 ? cotangent : cotangent * derivative;
}

}  // namespace detail

/// Appends a node for `ConcreteOp(attributes...)`: what a builder calls. Elementwise ops broadcast, and make
/// a number of numbers.
template <class ConcreteOp, class... Attributes>
Expr build(std::initializer_list<Arg> operands, Attributes... attributes) {
  return detail::apply(std::make_shared<const ConcreteOp>(std::move(attributes)...),
                       {operands.begin(), operands.size()});
}

/// Appends a node for an op of several outputs, as `build` does: an expression for each.
template <class ConcreteOp, class... Attributes>
std::vector<Expr> build_outputs(std::initializer_list<Arg> operands, Attributes... attributes) {
  return detail::apply_for_outputs(std::make_shared<const ConcreteOp>(std::move(attributes)...),
                                   {operands.begin(), operands.size()});
}

/// An axis of x counted from the front, -1 being the last; fails with the op's name for one that x lacks.
std::int64_t axis_of(std::string_view op, const Arg& x, std::int64_t axis);

/// A differentiable op of one operand. `Rule` adds to `f` its derivative from x and y = f(x), as a formula
/// that also builds graph nodes: `template <class T> T d(T x, T y) const`; or instead a type `Grad`, an op
/// without attributes that makes the cotangent of x from that of y, and y.
template <class Rule> struct Unary : Elementwise<Rule, 1> {
  std::vector<Expr> vjp(const Vjp& v) const final {
    if constexpr (requires { typename Rule::Grad; })
      return {build<typename Rule::Grad>({v.cotangent, v.output})};
    else
      return {detail::chain(v.cotangent, this->derived().template d<Expr>(v.inputs[0], v.output))};
  }
};

/// A differentiable op of two operands: `Rule` adds the partial derivatives `da(a, b, y)` and `db(a, b, y)`.
template <class Rule> struct Binary : Elementwise<Rule, 2> {
  std::vector<Expr> vjp(const Vjp& v) const final {
    const Expr &a = v.inputs[0], &b = v.inputs[1];
    const Rule& rule = this->derived();
    return {v.wanted[0] ? detail::chain(v.cotangent, rule.template da<Expr>(a, b, v.output)) : Expr(),
            v.wanted[1] ? detail::chain(v.cotangent, rule.template db<Expr>(a, b, v.output)) : Expr()};
  }
};

/// A differentiable op of any number of operands that is a formula of other ops: `Rule` gives `f` alone. Its
/// kernel computes the formula in one go, with all that lies between in registers; its reverse rule is the
/// formula's own, built of graph nodes and differentiated like any other expression.
template <class Rule, std::size_t Arity, std::size_t Outputs = 1>
struct CompositeOp : Elementwise<Rule, Arity, Outputs> {
  std::vector<Expr> vjp(const Vjp& v) const final {
    Graph alone;
    std::vector<Expr> leaves;
    for (const Expr& input : v.inputs)
      leaves.push_back(alone.input(std::to_string(leaves.size()), input.shape()));
    const auto y = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::array<Expr, Outputs>{this->derived().template f<Expr>(leaves[I]...)};
    }
    (std::make_index_sequence<Arity>());
    return detail::composite_vjp(y, leaves, v);
  }
};

/// An elementwise op without a derivative, such as a comparison.
template <class Rule, std::size_t Arity> struct Undifferentiable : Elementwise<Rule, Arity> {
  std::vector<Expr> vjp(const Vjp& v) const final { return no_gradient(v); }
};

}  // namespace gradus
