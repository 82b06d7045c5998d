#include "gradus/ops/view.hpp"

#include <algorithm>

#include "gradus/ops/rules.hpp"

namespace gradus {

namespace {

std::vector<Dim> without_ones(const Shape& shape) {
  std::vector<Dim> dims = shape.dims();
  std::erase(dims, Dim(1));
  return dims;
}

struct Reshape final : OpOf<Reshape> {
  static constexpr std::string_view name = "reshape";
  explicit Reshape(Shape to) : shape(std::move(to)) {}
  auto attributes() const { return std::tuple(attribute("shape", shape)); }
  OnnxSpelling onnx(InputShapes) const { return {{"Reshape", {OnnxInput{0}, shape}}}; }
  Traits traits() const override { return {.view = true}; }
  Shape infer(InputShapes inputs) const {
    // Two axes that hold the batch have no product, but extents of 1 may come and go beside them.
    if (without_ones(inputs[0]) != without_ones(shape) && inputs[0].element_count() != shape.element_count())
      throw Error("cannot be reshaped to " + to_string(shape));
    return shape;
  }
  std::vector<Expr> vjp(const Vjp& v) const override { return {reshape(v.cotangent, v.inputs[0].shape())}; }

  Shape shape;
};

struct StopGradient final : OpOf<StopGradient> {
  static constexpr std::string_view name = "stop_gradient", onnx = "Identity";
  Traits traits() const override { return {.view = true}; }
  Shape infer(InputShapes inputs) const { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp& v) const override { return no_gradient(v); }
};

}  // namespace

Expr reshape(Arg x, const Shape& shape) {
  graph_of(Reshape::name, {&x, 1});
  Shape to = shape;
  const auto open = static_cast<std::size_t>(std::ranges::find(shape, Dim(-1)) - shape.begin());
  if (open < shape.rank()) try {
      to[open] = 1;
      to[open] = x.expr.shape().element_count() / to.element_count();
    } catch (const Error& error) {
      fail(Reshape::name, {&x, 1}, error.what());
    }
  return to == x.expr.shape() ? x.expr : build<Reshape>({x}, to);
}

Expr flatten(Arg x) {
  graph_of("flatten", {&x, 1});
  if (x.expr.shape().rank() == 0) fail("flatten", {&x, 1}, "a scalar has no rows");
  return reshape(x, {x.expr.shape()[0], -1});
}

Expr stop_gradient(Arg x) { return build<StopGradient>({x}); }

}  // namespace gradus
