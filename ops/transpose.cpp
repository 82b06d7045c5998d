#include "gradus/ops/transpose.hpp"

#include <algorithm>
#include <numeric>

#include "gradus/ops/rules.hpp"
#include "ops/kernels/strides.hpp"

namespace gradus {

namespace {

struct Transpose final : OpOf<Transpose> {
  static constexpr std::string_view name = "transpose";
  explicit Transpose(Permutation axes) : order(std::move(axes)) {}
  auto attributes() const { return std::tuple(attribute("order", order)); }
  OnnxSpelling onnx(InputShapes) const { return {{"Transpose", {OnnxInput{0}}, {{"perm", order}}}}; }

  Shape infer(InputShapes inputs) const {
    std::vector<std::int64_t> axes(inputs[0].rank());
    std::iota(axes.begin(), axes.end(), 0);
    if (!std::ranges::is_permutation(order, axes)) throw Error("the order does not name each axis once");
    Shape shape;
    for (const auto axis : order) shape.push_back(inputs[0][static_cast<std::size_t>(axis)]);
    return shape;
  }

  std::vector<Expr> vjp(const Vjp& v) const override {
    Permutation inverse(order.size());
    for (std::size_t axis = 0; axis < order.size(); ++axis)
      inverse[static_cast<std::size_t>(order[axis])] = static_cast<std::int64_t>(axis);
    return {transpose(v.cotangent, inverse)};
  }

  // Two in a row are one.
  Expr canonicalize(std::span<const Expr> inputs) const override {
    const auto* inner = op_as<Transpose>(inputs[0]);
    if (inner == nullptr) return {};
    Permutation both;
    for (const auto axis : order) both.push_back(inner->order[static_cast<std::size_t>(axis)]);
    Graph& graph = inputs[0].graph();
    const Expr base = graph.expr(graph[inputs[0].id()].inputs.front());
    return std::ranges::is_sorted(both) ? base : transpose(base, both);
  }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const Extents from = row_major_strides(shapes.inputs[0]);
    Extents strides;
    for (const auto axis : order) strides.push_back(from[static_cast<std::size_t>(axis)]);
    const StridedWalk walk(shapes.output(), strides);
    return [walk](const KernelArgs<T>& args) { walk.gather(args.input(), args.output()); };
  }

  Permutation order;
};

}  // namespace

Expr transpose(Arg x, const Permutation& order) { return build<Transpose>({x}, order); }

Expr transpose(Arg x) {
  graph_of(Transpose::name, {&x, 1});
  Permutation order(x.expr.shape().rank());
  std::iota(order.rbegin(), order.rend(), 0);
  return transpose(x, order);
}

}  // namespace gradus
