#pragma once

#include <span>
#include <vector>

#include "gradus/graph/elementwise.hpp"
#include "gradus/graph/graph.hpp"
#include "gradus/ops/build.hpp"

namespace GRADUS_PUBLIC gradus {

/// Appends an elementwise node. Operands of different shapes are broadcast by NumPy's rule with explicit
/// broadcast_to nodes; a number takes the others' shape; numbers alone give a number.
Expr elementwise(OpPtr op, std::span<const Arg> operands);

/// A differentiable op of one operand. `Rule` adds to `f` its derivative from x and y = f(x), as a formula
/// that also builds graph nodes: `template <class T> T d(T x, T y) const`; or instead a type `Slope`, an op
/// without attributes that makes the cotangent of x from that of y, and y.
template <class Rule>
class Unary : public Elementwise<Rule, 1> {
 public:
  std::vector<Expr> vjp(const Vjp& v) const final;
};

/// A differentiable op of two operands: `Rule` adds the partial derivatives `da(a, b, y)` and `db(a, b, y)`.
template <class Rule>
class Binary : public Elementwise<Rule, 2> {
 public:
  std::vector<Expr> vjp(const Vjp& v) const final;
};

/// A differentiable op of any number of operands that is a formula of other ops: `Rule` gives `f` alone. Its
/// kernel computes the formula in one go, with all that lies between in registers; its reverse rule is the
/// formula's own, built of graph nodes and differentiated as any other expression.
template <class Rule, std::size_t Arity>
class Formula : public Elementwise<Rule, Arity> {
 public:
  std::vector<Expr> vjp(const Vjp& v) const final;
};

/// The reverse rule of `y`, of which `leaves` are the inputs in a graph of its own, with v's inputs in their
/// place.
std::vector<Expr> substituted_vjp(const Expr& y, const std::vector<Expr>& leaves, const Vjp& v);

/// An elementwise op without a derivative, such as a comparison.
template <class Rule, std::size_t Arity>
class Undifferentiable : public Elementwise<Rule, Arity> {
 public:
  std::vector<Expr> vjp(const Vjp& v) const final { return no_gradient(v); }
};

}  // namespace gradus
