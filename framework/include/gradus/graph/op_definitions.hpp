#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <typeinfo>
#include <vector>

#include "gradus/graph/elementwise.hpp"
#include "gradus/graph/elementwise_loop.hpp"
#include "gradus/graph/op_of.hpp"

/// The bodies of what ops inherit; for source files that define an op.
namespace GRADUS_PUBLIC gradus {

namespace detail {

// Doubles count as equal when their bits are: NaN attributes merge, 0 and -0 do not.
inline bool same_value(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}
template <class V>
bool same_value(const V& a, const V& b) {
  return a == b;
}
inline bool same_value(const std::vector<double>& a, const std::vector<double>& b) {
  return std::ranges::equal(a, b, [](double x, double y) { return same_value(x, y); });
}

inline std::size_t hash_of(double v) { return std::bit_cast<std::uint64_t>(v); }
inline std::size_t hash_of(Dim v) { return hash_value(v); }
inline std::size_t hash_of(const Shape& v) { return hash_value(v); }
template <std::integral I>
std::size_t hash_of(I v) {
  return static_cast<std::size_t>(v);
}
template <class V>
std::size_t hash_of(const std::vector<V>& values) {
  std::size_t hash = values.size();
  for (const auto& v : values) hash = hash_combine(hash, hash_of(v));
  return hash;
}

inline std::string text_of(Dim v) { return to_string(v); }
inline std::string text_of(const Shape& v) { return to_string(v); }
template <class V>
std::string text_of(const std::vector<V>& values) {
  std::string text;
  for (const auto& v : values) text += (text.empty() ? "" : ", ") + text_of(v);
  return "[" + text + "]";
}

template <class Derived>
constexpr bool has_attributes = requires(const Derived& d) {
  d.attributes();
};

template <class Derived, class Visitor>
void visit_attributes(const Derived& op, Visitor visit) {
  if constexpr (has_attributes<Derived>)
    std::apply([&](const auto&... a) { (visit(a), ...); }, op.attributes());
}

template <class... V>
bool same_attributes(const std::tuple<Attribute<V>...>& a, const std::tuple<Attribute<V>...>& b) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return (same_value(std::get<I>(a).value, std::get<I>(b).value) && ...);
  }
  (std::index_sequence_for<V...>());
}

template <class T>
Kernel<T> kernel_from_block(const Op& op, Block<T> block, const Signature& signature) {
  const auto n = static_cast<std::size_t>(element_count(signature.output));
  return [op = &op, block, n](const T* const* inputs, T* output) { block(&op, inputs, &output, n); };
}

}  // namespace detail

template <class Derived, class Base>
std::string_view ValueOp<Derived, Base>::name() const {
  return Derived::name;
}

template <class Derived, class Base>
std::string ValueOp<Derived, Base>::attribute_text() const {
  std::string text;
  detail::visit_attributes(derived(), [&](const auto& a) {
    text += (text.empty() ? "" : ", ") + std::string(a.name) + "=" + detail::text_of(a.value);
  });
  return text;
}

template <class Derived, class Base>
OnnxSpelling ValueOp<Derived, Base>::onnx_spelling(InputShapes inputs) const {
  if constexpr (requires { derived().onnx(inputs); }) {
    return derived().onnx(inputs);
  } else if constexpr (requires { std::string_view(Derived::onnx); }) {
    OnnxStep step(Derived::onnx, {});
    for (std::size_t i = 0; i < inputs.size(); ++i) step.operands.emplace_back(OnnxInput{i});
    return {step};
  } else {
    return {};
  }
}

template <class Derived, class Base>
bool ValueOp<Derived, Base>::same_as(const Op& other) const {
  if (typeid(Derived) != typeid(other)) return false;
  if constexpr (detail::has_attributes<Derived>)
    return detail::same_attributes(derived().attributes(), static_cast<const Derived&>(other).attributes());
  else
    return true;
}

template <class Derived, class Base>
std::size_t ValueOp<Derived, Base>::hash() const {
  std::size_t hash = typeid(Derived).hash_code();
  detail::visit_attributes(derived(),
                           [&](const auto& a) { hash = hash_combine(hash, detail::hash_of(a.value)); });
  return hash;
}

namespace detail {

template <class T, class Derived>
RowKernel<T> make_row_kernel(const Derived& op, const Signature& signature) {
  if constexpr (requires { op.template make_row_kernel<T>(signature); })
    return op.template make_row_kernel<T>(signature);
  else
    return nullptr;
}

}  // namespace detail

template <class Derived>
Kernel<float> OpOf<Derived>::kernel(const Signature& signature, float) const {
  return this->derived().template make_kernel<float>(signature);
}

template <class Derived>
Kernel<double> OpOf<Derived>::kernel(const Signature& signature, double) const {
  return this->derived().template make_kernel<double>(signature);
}

template <class Derived>
RowKernel<float> OpOf<Derived>::row_kernel(const Signature& signature, float) const {
  return detail::make_row_kernel<float>(this->derived(), signature);
}

template <class Derived>
RowKernel<double> OpOf<Derived>::row_kernel(const Signature& signature, double) const {
  return detail::make_row_kernel<double>(this->derived(), signature);
}

template <class Rule, std::size_t Arity>
Traits Elementwise<Rule, Arity>::traits() const {
  Traits traits;
  if constexpr (requires { Rule::extra_traits; }) traits = Rule::extra_traits;
  traits.elementwise = true;
  return traits;
}

template <class Rule, std::size_t Arity>
Shape Elementwise<Rule, Arity>::infer(InputShapes inputs) const {
  for (std::size_t i = 1; i < inputs.size(); ++i)
    if (inputs[i] != inputs[0]) throw Error("shapes differ");
  return inputs[0];
}

template <class Rule, std::size_t Arity>
Kernel<float> Elementwise<Rule, Arity>::kernel(const Signature& signature, float tag) const {
  return detail::kernel_from_block(*this, block(tag, 0), signature);
}

template <class Rule, std::size_t Arity>
Kernel<double> Elementwise<Rule, Arity>::kernel(const Signature& signature, double tag) const {
  return detail::kernel_from_block(*this, block(tag, 0), signature);
}

template <class Rule, std::size_t Arity>
Block<float> Elementwise<Rule, Arity>::block(float, unsigned scalars) const {
  return detail::elementwise_block<Rule, float>(scalars);
}

template <class Rule, std::size_t Arity>
Block<double> Elementwise<Rule, Arity>::block(double, unsigned scalars) const {
  return detail::elementwise_block<Rule, double>(scalars);
}

template <class Rule, std::size_t Arity>
Block<float> Elementwise<Rule, Arity>::joint_block(float, std::span<const Op* const> makers,
                                                   unsigned scalars) const {
  return detail::joint_block<Rule, float>(makers, scalars);
}

template <class Rule, std::size_t Arity>
Block<double> Elementwise<Rule, Arity>::joint_block(double, std::span<const Op* const> makers,
                                                    unsigned scalars) const {
  return detail::joint_block<Rule, double>(makers, scalars);
}

}  // namespace gradus
