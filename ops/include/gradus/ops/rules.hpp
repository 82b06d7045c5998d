#pragma once

#include <memory>
#include <string>
#include <utility>

#include "gradus/graph/op_definitions.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/elementwise.hpp"
#include "gradus/simd/vector_math.hpp"

/// What the object file of an op needs to make its kernels and its reverse rule from the rule. Include it in
/// the one source file that defines an op of yours; programs that only use the op need not.
namespace GRADUS_PUBLIC gradus {

namespace detail {
inline Expr chain(const Expr& cotangent, const Expr& derivative) {
  if (derivative.is_literal() && derivative.literal() == 1) return cotangent;
  return cotangent * derivative;
}
}  // namespace detail

template <class ConcreteOp, class... Attributes>
Expr build(std::initializer_list<Arg> operands, Attributes... attributes) {
  auto op = std::make_shared<const ConcreteOp>(std::move(attributes)...);
  const std::span<const Arg> all(operands.begin(), operands.size());
  if constexpr (requires { ConcreteOp::arity; })
    return elementwise(std::move(op), all);
  else
    return make_node(std::move(op), all);
}

template <class Rule>
std::vector<Expr> Unary<Rule>::vjp(const Vjp& v) const {
  if constexpr (requires { typename Rule::Slope; }) {
    return {build<typename Rule::Slope>({v.cotangent, v.output})};
  } else {
    const auto& rule = static_cast<const Rule&>(*this);
    return {detail::chain(v.cotangent, rule.template d<Expr>(v.inputs[0], v.output))};
  }
}

template <class Rule>
std::vector<Expr> Binary<Rule>::vjp(const Vjp& v) const {
  const auto& rule = static_cast<const Rule&>(*this);
  const Expr &a = v.inputs[0], &b = v.inputs[1];
  std::vector<Expr> cotangents(2);
  if (v.wanted[0]) cotangents[0] = detail::chain(v.cotangent, rule.template da<Expr>(a, b, v.output));
  if (v.wanted[1]) cotangents[1] = detail::chain(v.cotangent, rule.template db<Expr>(a, b, v.output));
  return cotangents;
}

template <class Rule, std::size_t Arity>
std::vector<Expr> Formula<Rule, Arity>::vjp(const Vjp& v) const {
  Graph alone;
  std::vector<Expr> leaves;
  for (const Expr& input : v.inputs)
    leaves.push_back(alone.input(std::to_string(leaves.size()), input.shape()));
  const auto& rule = static_cast<const Rule&>(*this);
  const Expr y = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return rule.template f<Expr>(leaves[I]...);
  }
  (std::make_index_sequence<Arity>());
  return substituted_vjp(y, leaves, v);
}

}  // namespace gradus
