#pragma once

#include <array>
#include <concepts>
#include <span>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "gradus/graph/elementwise.hpp"
#include "gradus/simd/lane.hpp"

/// The loops that elementwise rules become. For op_definitions.hpp.
namespace GRADUS_PUBLIC gradus {

namespace detail {

// The rule over n elements, with the makers of some of its operands, whose results are stored on the way. Bit
// i of `scalars`: operand i is one number.
template <class Rule, class T, unsigned scalars, class Makers>
struct ElementwiseLoop;

template <class Rule, class T, unsigned scalars, class... Maker>
struct ElementwiseLoop<Rule, T, scalars, std::tuple<Maker...>> {
  // Where each begins that has so many, from `start` on, and where the last ends.
  static constexpr auto offsets(std::size_t start, std::array<std::size_t, sizeof...(Maker)> counts) {
    std::array<std::size_t, sizeof...(Maker) + 1> sums{start};
    for (std::size_t i = 0; i < counts.size(); ++i) sums[i + 1] = sums[i] + counts[i];
    return sums;
  }
  static constexpr auto first_input = offsets(0, {Maker::arity...});
  // The rule's own is output 0.
  static constexpr auto its_output = offsets(1, {std::size_t{!std::same_as<Maker, Given>}...});
  static constexpr bool is_made(std::size_t operand) { return its_output[operand] < its_output[operand + 1]; }

  static bool fits(std::span<const Op* const> makers) {
    std::size_t i = 0;
    const auto same = [&]<class M>(std::type_identity<M>) {
      const Op* const maker = makers[i++];
      if constexpr (std::same_as<M, Given>)
        return maker == nullptr;
      else
        return maker != nullptr && typeid(*maker) == typeid(M);
    };
    return (same(std::type_identity<Maker>()) && ...);
  }

  template <Isa isa>
  static void run(const Op* const* ops, const T* const* inputs, T* const* outputs, std::size_t n) {
    loop<isa>(ops, inputs, outputs, n, std::index_sequence_for<Maker...>());
  }

  template <Isa isa, std::size_t... I>
  static void loop(const Op* const* ops, const T* const* inputs, T* const* outputs, std::size_t n,
                   std::index_sequence<I...>) {
    // Copies, so that the compiler need not fear that writing the output changes them. Not of the places: it
    // would load them two at a time, and wait for those that have just been stored one by one.
    const Rule rule(static_cast<const Rule&>(*ops[0]));
    const std::tuple<Maker...> makers{copy<Maker>(ops[is_made(I) ? its_output[I] : 0])...};
    const std::array<T, sizeof...(I)> numbers{*inputs[first_input[I]]...};
    const auto compute = [&](std::size_t i) {
      // All are read before any is stored, as they may share a tile.
      const std::tuple operands{
          operand<isa, I>(makers, inputs, numbers, i, std::make_index_sequence<Maker::arity>())...};
      (store<I>(outputs, i, std::get<I>(operands)), ...);
      outputs[0][i] = rule.template f<Lane<T, isa>>(std::get<I>(operands)...);
    };
    // One by one, as the next op in a tiny net reads them: a vector is slow to load from where single numbers
    // have just been stored.
    if (n <= 2) {
      compute(0);
      if (n == 2) compute(1);
      return;
    }
#if defined(__clang__)
#pragma clang loop vectorize(assume_safety)
#else
#pragma GCC ivdep
#endif
    for (std::size_t i = 0; i < n; ++i) compute(i);
  }

  // Element i of an operand.
  template <Isa isa, std::size_t at, std::size_t... input>
  static Lane<T, isa> operand(const std::tuple<Maker...>& makers, const T* const* inputs,
                              const std::array<T, sizeof...(Maker)>& numbers, std::size_t i,
                              std::index_sequence<input...>) {
    constexpr std::size_t first = first_input[at];
    if constexpr ((scalars >> at & 1U) != 0)
      return numbers[at];
    else if constexpr (is_made(at))
      return std::get<at>(makers).template f<Lane<T, isa>>(Lane<T, isa>(inputs[first + input][i])...);
    else
      return inputs[first][i];
  }

  template <std::size_t at>
  static void store(T* const* outputs, std::size_t i, T value) {
    if constexpr (is_made(at)) outputs[its_output[at]][i] = value;
  }

  template <class M>
  static M copy(const Op* op) {
    if constexpr (std::same_as<M, Given>)
      return {};
    else
      return static_cast<const M&>(*op);
  }
};

template <class Rule, class T, unsigned scalars, class Makers>
Block<T> version_of_loop() {
  return version_for_isa<ElementwiseLoop<Rule, T, scalars, Makers>, const Op* const*, const T* const*,
                         T* const*, std::size_t>();
}

template <std::size_t>
using AnyGiven = Given;

// All kernels of an op of few operands; of one of many, those that it says are worth having.
template <class Rule, class T, unsigned... scalars>
Block<T> elementwise_block(unsigned wanted, std::integer_sequence<unsigned, scalars...>) {
  const auto given = []<std::size_t... I>(std::index_sequence<I...>) { return std::tuple<AnyGiven<I>...>(); };
  using AllGiven = decltype(given(std::make_index_sequence<Rule::arity>()));
  Block<T> block = nullptr;
  const auto offer = [&]<unsigned mask>(std::integral_constant<unsigned, mask>) {
    if (wanted == mask) block = version_of_loop<Rule, T, mask, AllGiven>();
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

template <class Rule>
constexpr unsigned scalars_of() {
  if constexpr (requires { Rule::scalars; })
    return Rule::scalars;
  else
    return 0;
}

template <class Rule, class T>
Block<T> joint_block(std::span<const Op* const> makers, unsigned scalars) {
  if constexpr (requires { typename Rule::Makers; }) {
    using Makers = typename Rule::Makers;
    constexpr unsigned mask = scalars_of<Rule>();
    if (scalars == mask && ElementwiseLoop<Rule, T, mask, Makers>::fits(makers))
      return version_of_loop<Rule, T, mask, Makers>();
  }
  return nullptr;
}

}  // namespace detail

}  // namespace gradus
