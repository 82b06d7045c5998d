#pragma once

#include <array>
#include <utility>

#include "gradus/framework/graph/elementwise.hpp"

namespace gradus {

namespace detail {

template <class Rule, class T, std::size_t... I>
void elementwise_block(const Op& op, const T* const* inputs, T* output, std::size_t n,
                       std::index_sequence<I...>) {
  // Copies, so that the compiler need not fear that writing the output changes them.
  const Rule rule(static_cast<const Rule&>(op));
  const std::array<const T*, sizeof...(I)> in{inputs[I]...};
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) output[i] = rule.template f<T>(in[I][i]...);
}

template <class Rule, class T>
void elementwise_block(const Op& op, const T* const* inputs, T* output, std::size_t n) {
  elementwise_block<Rule, T>(op, inputs, output, n, std::make_index_sequence<Rule::arity>());
}

template <class T>
Kernel<T> kernel_from_block(const Op& op, Block<T> block, const Signature& signature) {
  const auto n = static_cast<std::size_t>(element_count(signature.output));
  return [&op, block, n](const T* const* inputs, T* output) { block(op, inputs, output, n); };
}

}  // namespace detail

template <class Rule, std::size_t Arity>
Kernel<float> Elementwise<Rule, Arity>::kernel(const Signature& signature, float tag) const {
  return detail::kernel_from_block(*this, block(tag), signature);
}
template <class Rule, std::size_t Arity>
Kernel<double> Elementwise<Rule, Arity>::kernel(const Signature& signature, double tag) const {
  return detail::kernel_from_block(*this, block(tag), signature);
}
template <class Rule, std::size_t Arity>
Block<float> Elementwise<Rule, Arity>::block(float) const {
  return &detail::elementwise_block<Rule, float>;
}
template <class Rule, std::size_t Arity>
Block<double> Elementwise<Rule, Arity>::block(double) const {
  return &detail::elementwise_block<Rule, double>;
}

}  // namespace gradus
