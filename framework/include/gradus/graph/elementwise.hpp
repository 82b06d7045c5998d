#pragma once

#include <cstddef>

#include "gradus/base/error.hpp"
#include "gradus/graph/op_of.hpp"

namespace GRADUS_PUBLIC gradus {

/// In `Makers`: an operand that is read from memory.
struct Given {
  /// One: itself.
  static constexpr std::size_t arity = 1;
};

/// An op of `Arity` operands of one shape that works element by element. `Rule` supplies
/// `template <class T> T f(T x, …) const`, written so that T may be float, double or a `Lane` of vector code,
/// and optionally `static constexpr Traits extra_traits`; with more than three operands also `static
/// constexpr unsigned scalars`, a bit set for each that is commonly a scalar. That one function is the
/// kernel, the constant folder and the block of a fused program. `using Makers = std::tuple<…>` has, for each
/// operand, the op that commonly makes it, or Given: where they meet in a fused program, they are one loop.
template <class Rule, std::size_t Arity>
class Elementwise : public ValueOp<Rule> {
 public:
  /// How many inputs it has.
  static constexpr std::size_t arity = Arity;

  /// Elementwise, with the op's extra traits.
  Traits traits() const final;
  /// The shape that all inputs have.
  Shape infer(InputShapes inputs) const final;
  /// A loop over all elements.
  Kernel<float> kernel(const Signature& signature, float tag) const final;
  /// The same in double.
  Kernel<double> kernel(const Signature& signature, double tag) const final;
  /// The rule `f` over a block of elements.
  Block<float> block(float tag, unsigned scalars) const final;
  /// The same in double.
  Block<double> block(double tag, unsigned scalars) const final;
  /// With its `Makers`.
  Block<float> joint_block(float tag, std::span<const Op* const> makers, unsigned scalars) const final;
  /// The same in double.
  Block<double> joint_block(double tag, std::span<const Op* const> makers, unsigned scalars) const final;
};

}  // namespace gradus
