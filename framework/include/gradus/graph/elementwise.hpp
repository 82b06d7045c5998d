#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <utility>

#include "gradus/graph/op_of.hpp"
#include "gradus/simd/circular_math.hpp"

namespace GRADUS_PUBLIC gradus {

namespace detail {

#if defined(__clang__)
// A loop that it may vectorise, but does not, is no fault.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

// The rule over n elements. Bit i of `scalars`: operand i is one number.
template <class Rule, class T, unsigned scalars> struct ElementwiseLoop {
  template <Isa isa> static void run(const Op* op, const T* const* inputs, T* const* outputs, std::size_t n) {
    using L = Lane<T, isa>;
    const auto& rule = static_cast<const Rule&>(*op);
    const auto all = std::make_index_sequence<Rule::arity>();
    if constexpr (requires(L x) { Rule::f_of_moderate(x); })
      if (all_moderate<isa, T>(inputs[0], n))
        return loop<isa>(rule, inputs, outputs, n, all,
                         [](const Rule&, L x) { return Rule::f_of_moderate(x); });
    loop<isa>(rule, inputs, outputs, n, all,
              [](const Rule& copy, auto... x) { return copy.template f<L>(x...); });
  }

  template <Isa isa, std::size_t... I, class F>
  static void loop(const Rule& op, const T* const* inputs, T* const* outputs, std::size_t n,
                   std::index_sequence<I...>, F f) {
    // Copies, so that the compiler need not fear that writing an output changes them. The pointers are not
    // copied: the compiler would load them in pairs, and wait for those that have just been stored one by
    // one.
    const Rule rule(op);
    const std::array<T, sizeof...(I)> numbers{*inputs[I]...};
    const auto compute = [&](std::size_t i) {
      // All operands are read before any result is stored, as they may share memory.
      const auto result = f(rule, Lane<T, isa>((scalars >> I & 1U) != 0 ? numbers[I] : inputs[I][i])...);
      if constexpr (Rule::output_count == 1)
        outputs[0][i] = result;
      else
        for (std::size_t k = 0; k < Rule::output_count; ++k) outputs[k][i] = result[k];
    };
    // One by one where the next op in a tiny net reads single numbers: a vector is slow to load from where
    // single numbers have just been stored.
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
};

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

// The combinations of scalar operands that have a loop of their own.
template <class Rule> constexpr auto scalar_loops() {
  if constexpr (requires { typename Rule::ScalarLoops; })
    return typename Rule::ScalarLoops();
  else if constexpr (Rule::arity == 2)
    return std::integer_sequence<unsigned, 0, 1, 2>();
  else
    return std::integer_sequence<unsigned, 0>();
}

template <class Rule, class T> Block<T> elementwise_block(unsigned wanted) {
  Block<T> block = nullptr;
  [&]<unsigned... scalars>(std::integer_sequence<unsigned, scalars...>) {
    ((wanted == scalars ? void(block = version_for_isa<ElementwiseLoop<Rule, T, scalars>, const Op*,
                                                       const T* const*, T* const*, std::size_t>())
                        : void()),
     ...);
  }
  (scalar_loops<Rule>());
  return block;
}

}  // namespace detail

/// An op of `Arity` operands of one shape that works element by element. `Rule` supplies
/// `template <class T> T f(T x, …) const`, written so that T may be float, double, a `Lane` of vector code
/// or, for a `CompositeOp`, a graph expression; with several outputs it returns `std::array<T, Outputs>`.
/// That one function is the kernel, the constant folder and the block of a fused loop. A rule may add `static
/// constexpr Traits extra_traits`, and `using ScalarLoops = std::integer_sequence<unsigned, 0, …>`: the
/// combinations of operands (a bit for each) that are commonly scalars, so that they deserve a loop of their
/// own. An op of two operands has one for either. One of one operand may add `f_of_moderate`, which runs
/// instead of `f` where all elements of a tile are moderate (`is_moderate`), and gives the same bits.
template <class Rule, std::size_t Arity, std::size_t Outputs = 1>
class Elementwise : public ValueOp<Rule, ElementwiseOp> {
 public:
  /// How many inputs and outputs it has.
  static constexpr std::size_t arity = Arity;
  static constexpr std::size_t output_count = Outputs;

  Traits traits() const final {
    Traits traits;
    if constexpr (requires { Rule::extra_traits; }) traits = Rule::extra_traits;
    traits.outputs = Outputs;
    return traits;
  }

  std::vector<Shape> output_shapes(InputShapes inputs) const final {
    for (std::size_t i = 1; i < inputs.size(); ++i)
      if (inputs[i] != inputs[0]) throw Error("shapes differ");
    return std::vector<Shape>(Outputs, inputs[0]);
  }

  AnyBlock block(DType dtype, unsigned scalars) const final {
    return with_dtype(dtype,
                      [&]<class T>(T) -> AnyBlock { return detail::elementwise_block<Rule, T>(scalars); });
  }

  AnyKernel kernel(const KernelShapes& shapes, DType dtype) const final {
    return with_dtype(dtype, [&]<class T>(T) -> AnyKernel {
      return Kernel<T>([op = this, block = detail::elementwise_block<Rule, T>(0),
                        n = static_cast<std::size_t>(element_count(shapes.output()))](
                           const KernelArgs<T>& args) { block(op, args.inputs, args.outputs, n); });
    });
  }
};

}  // namespace gradus
