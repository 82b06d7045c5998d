#pragma once

#include "gradus/base/error.hpp"
#include "gradus/graph/op_of.hpp"
#include "gradus/ops/build.hpp"

namespace GRADUS_PUBLIC gradus {

/// An op without a kernel: the same values in the same order.
template <class Derived>
class View : public ValueOp<Derived> {
 public:
  Traits traits() const final { return {.view = true}; }
  Kernel<float> kernel(const Signature&, float) const final { return {}; }
  Kernel<double> kernel(const Signature&, double) const final { return {}; }
};

/// The same elements in another shape; one extent may be -1, for what is left. Error when the counts differ.
Expr reshape(Arg x, const Shape& shape);

class Reshape final : public View<Reshape> {
 public:
  static constexpr std::string_view name = "reshape";
  explicit Reshape(Shape to) : shape(std::move(to)) {}
  auto attributes() const { return std::tuple(attribute("shape", shape)); }
  OnnxSpelling onnx(InputShapes) const { return {{"Reshape", {OnnxInput{0}, shape}}}; }
  Shape infer(InputShapes inputs) const override {
    // Two axes that hold the batch have no product, but extents of 1 may come and go beside them.
    if (!equal_but_for_ones(inputs[0], shape) && inputs[0].element_count() != shape.element_count())
      throw Error("cannot be reshaped to " + to_string(shape));
    return shape;
  }
  std::vector<Expr> vjp(const Vjp& v) const override { return {reshape(v.cotangent, v.inputs[0].shape())}; }

  Shape shape;

 private:
  static bool equal_but_for_ones(const Shape& a, const Shape& b);
};

class StopGradient final : public View<StopGradient> {
 public:
  static constexpr std::string_view name = "stop_gradient";
  static constexpr std::string_view onnx = "Identity";
  Shape infer(InputShapes inputs) const override { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp& v) const override { return no_gradient(v); }
};

/// [d0, d1, …] → [d0, d1·…]: one row per sample. Error for a scalar.
Expr flatten(Arg x);

/// x itself, which no gradient passes.
inline Expr stop_gradient(Arg x) { return builtin<StopGradient>({x}); }

}  // namespace gradus
