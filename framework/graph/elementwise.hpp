#pragma once

#include <cstddef>

#include "gradus/framework/graph/error.hpp"
#include "gradus/framework/graph/op_of.hpp"

namespace gradus {

/// An op of `Arity` operands of one shape that works element by element. `Rule` supplies
/// `template <class T> T f(T x, …) const`, written so that T may be float, double or a batch of them, and
/// optionally `static constexpr Traits extra_traits`. That one function is the kernel, the constant folder
/// and the block of a fused program.
template <class Rule, std::size_t Arity>
class Elementwise : public ValueOp<Rule> {
 public:
  static constexpr std::size_t arity = Arity;

  Traits traits() const final {
    Traits traits;
    if constexpr (requires { Rule::extra_traits; }) traits = Rule::extra_traits;
    traits.elementwise = true;
    return traits;
  }

  Shape infer(InputShapes inputs) const final {
    for (std::size_t i = 1; i < inputs.size(); ++i)
      if (inputs[i] != inputs[0]) throw Error("shapes differ");
    return inputs[0];
  }

  // Defined in gradus/framework/graph/elementwise_kernels.hpp; see OpOf.
  [[gnu::used]] Kernel<float> kernel(const Signature& signature, float tag) const final;
  [[gnu::used]] Kernel<double> kernel(const Signature& signature, double tag) const final;
  [[gnu::used]] Block<float> block(float) const final;
  [[gnu::used]] Block<double> block(double) const final;
};

}  // namespace gradus
