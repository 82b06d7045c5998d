#pragma once

#include <vector>

#include "gradus/base/error.hpp"
#include "gradus/graph/op_of.hpp"
#include "gradus/ops/build.hpp"
#include "gradus/ops/strides.hpp"

namespace GRADUS_PUBLIC gradus {

/// Which axis goes where.
using Permutation = std::vector<std::int64_t>;

Expr transpose(Arg x, const Permutation& order);

/// The shape with its axes in another order. Error when that is not a permutation of them.
Shape reordered(const Shape& shape, const Permutation& order);

class Transpose final : public OpOf<Transpose> {
 public:
  static constexpr std::string_view name = "transpose";
  explicit Transpose(Permutation axes) : order(std::move(axes)) {}
  auto attributes() const { return std::tuple(attribute("order", order)); }
  OnnxSpelling onnx(InputShapes) const { return {{"Transpose", {OnnxInput{0}}, {{"perm", order}}}}; }

  Shape infer(InputShapes inputs) const override { return reordered(inputs[0], order); }

  std::vector<Expr> vjp(const Vjp& v) const override {
    Permutation inverse(order.size());
    for (std::size_t axis = 0; axis < order.size(); ++axis)
      inverse[static_cast<std::size_t>(order[axis])] = static_cast<std::int64_t>(axis);
    return {transpose(v.cotangent, inverse)};
  }

  template <class T>
  Kernel<T> make_kernel(const Signature& signature) const {
    const Extents from = row_major_strides(signature.inputs[0]);
    Extents strides;
    for (const auto axis : order) strides.push_back(from[static_cast<std::size_t>(axis)]);
    const StridedWalk walk(signature.output, strides, row_major_strides(signature.output));
    return [walk](const T* const* in, T* out) { strided_copy(walk, in[0], out); };
  }

  Permutation order;
};

/// x with its axes in another order: axis i of the result is axis order[i] of x. Error when `order` is not a
/// permutation of x's axes.
inline Expr transpose(Arg x, const Permutation& order) { return builtin<Transpose>({x}, order); }

/// x with its axes reversed: a matrix's transpose.
Expr transpose(Arg x);

}  // namespace gradus
