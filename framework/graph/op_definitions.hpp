#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <typeinfo>
#include <vector>

#include "gradus/framework/graph/elementwise.hpp"
#include "gradus/framework/graph/op_of.hpp"
#include "gradus/framework/simd/lane.hpp"

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

template <class Rule, class T, unsigned scalars>
struct ElementwiseLoop {
  template <Isa isa>
  static void run(const Op* const* ops, const T* const* inputs, T* const* outputs, std::size_t n) {
    loop<isa>(*ops[0], inputs, outputs[0], n, std::make_index_sequence<Rule::arity>());
  }

  template <Isa isa, std::size_t... I>
  static void loop(const Op& op, const T* const* inputs, T* output, std::size_t n,
                   std::index_sequence<I...>) {
    // Copies, so that the compiler need not fear that writing the output changes them. Not of the places: it
    // would load them two at a time, and wait for those that have just been stored one by one.
    const Rule rule(static_cast<const Rule&>(op));
    const std::array<T, sizeof...(I)> first{*inputs[I]...};
    const auto at = [&](std::size_t i) {
      return rule.template f<Lane<T, isa>>(
          Lane<T, isa>((scalars >> I & 1U) != 0 ? first[I] : inputs[I][i])...);
    };
    // One by one, as the next op in a tiny net reads them: a vector is slow to load from where single numbers
    // have just been stored.
    if (n <= 2) {
      output[0] = at(0);
      if (n == 2) output[1] = at(1);
      return;
    }
#if defined(__clang__)
#pragma clang loop vectorize(assume_safety)
#else
#pragma GCC ivdep
#endif
    for (std::size_t i = 0; i < n; ++i) output[i] = at(i);
  }
};

// All kernels of an op of few operands; of one of many, those that it says are worth having.
template <class Rule, class T, unsigned... scalars>
Block<T> elementwise_block(unsigned wanted, std::integer_sequence<unsigned, scalars...>) {
  Block<T> block = nullptr;
  const auto offer = [&]<unsigned mask>(std::integral_constant<unsigned, mask>) {
    if (wanted == mask)
      block = version_for_isa<ElementwiseLoop<Rule, T, mask>, const Op* const*, const T* const*, T* const*,
                              std::size_t>();
  };
  (offer(std::integral_constant<unsigned, scalars>()), ...);
  return block;
}

template <class Rule, class T>
Block<T> elementwise_block(unsigned scalars) {
  if constexpr (requires { Rule::scalars; })
    return elementwise_block<Rule, T>(scalars, std::integer_sequence<unsigned, 0, Rule::scalars>());
  else
    return elementwise_block<Rule, T>(scalars, std::make_integer_sequence<unsigned, 1U << Rule::arity>());
}

// The rule and its makers, whose results are stored on the way.
template <class Rule, class T, class Makers>
struct JointLoop;

template <class Rule, class T, class... Maker>
struct JointLoop<Rule, T, std::tuple<Maker...>> {
  // The sum of those before each, from `start` on, and then of all.
  static constexpr auto before(std::size_t start, std::array<std::size_t, sizeof...(Maker)> counts) {
    std::array<std::size_t, sizeof...(Maker) + 1> sums{start};
    for (std::size_t i = 0; i < counts.size(); ++i) sums[i + 1] = sums[i] + counts[i];
    return sums;
  }
  static constexpr auto inputs_before = before(0, {Maker::arity...});
  static constexpr auto outputs_before =
      before(1, {std::size_t{!std::same_as<Maker, Given>}...});  // the rule's own is first

  static bool fits(std::span<const Op* const> makers, unsigned scalars) {
    std::size_t i = 0;
    const auto same = [&]<class M>(std::type_identity<M>) {
      const Op* const maker = makers[i++];
      if constexpr (std::same_as<M, Given>)
        return maker == nullptr;
      else
        return maker != nullptr && typeid(*maker) == typeid(M);
    };
    return scalars == Rule::scalars && (same(std::type_identity<Maker>()) && ...);
  }

  // Element i of an operand.
  template <Isa isa, std::size_t operand, std::size_t... at>
  static Lane<T, isa> made(const auto& makers, const T* const* inputs, const auto& scalars, std::size_t i,
                           std::index_sequence<at...>) {
    constexpr std::size_t first = inputs_before[operand];
    if constexpr ((Rule::scalars >> operand & 1U) != 0)
      return scalars[operand];
    else if constexpr (outputs_before[operand] == outputs_before[operand + 1])
      return inputs[first][i];
    else
      return std::get<operand>(makers).template f<Lane<T, isa>>(Lane<T, isa>(inputs[first + at][i])...);
  }

  template <Isa isa>
  static void run(const Op* const* ops, const T* const* inputs, T* const* outputs, std::size_t n) {
    loop<isa>(ops, inputs, outputs, n, std::index_sequence_for<Maker...>());
  }

  template <Isa isa, std::size_t... I>
  static void loop(const Op* const* ops, const T* const* inputs, T* const* outputs, std::size_t n,
                   std::index_sequence<I...>) {
    const Rule rule(static_cast<const Rule&>(*ops[0]));
    const std::tuple<Maker...> makers{copy<Maker>(ops[outputs_before[I]])...};
    const std::array<T, sizeof...(I)> scalars{*inputs[inputs_before[I]]...};
#if defined(__clang__)
#pragma clang loop vectorize(assume_safety)
#else
#pragma GCC ivdep
#endif
    for (std::size_t i = 0; i < n; ++i) {
      // All are read before any is stored, as they may share a tile.
      const std::tuple values{
          made<isa, I>(makers, inputs, scalars, i, std::make_index_sequence<Maker::arity>())...};
      const auto store = [&]<std::size_t operand>(std::integral_constant<std::size_t, operand>) {
        if constexpr (outputs_before[operand] < outputs_before[operand + 1])
          outputs[outputs_before[operand]][i] = std::get<operand>(values);
      };
      (store(std::integral_constant<std::size_t, I>()), ...);
      outputs[0][i] = rule.template f<Lane<T, isa>>(std::get<I>(values)...);
    }
  }

  template <class M>
  static M copy(const Op* op) {
    if constexpr (std::same_as<M, Given>)
      return {};
    else
      return static_cast<const M&>(*op);
  }
};

template <class Rule, class T>
Block<T> joint_block(std::span<const Op* const> makers, unsigned scalars) {
  if constexpr (requires { typename Rule::Makers; }) {
    using Loop = JointLoop<Rule, T, typename Rule::Makers>;
    if (Loop::fits(makers, scalars))
      return version_for_isa<Loop, const Op* const*, const T* const*, T* const*, std::size_t>();
  }
  return nullptr;
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
