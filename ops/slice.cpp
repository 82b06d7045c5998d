#include "gradus/ops/slice.hpp"

#include <algorithm>
#include <string>

#include "gradus/ops/rules.hpp"
#include "ops/kernels/strides.hpp"

namespace gradus {

namespace {

// a·B + c ≥ 0 for every B ≥ 1.
bool never_negative(Dim d) { return d.per_batch() >= 0 && d.per_batch() + d.constant() >= 0; }

// A box of shape `inner` from `starts` on must lie within `outer`, for every batch of at least 1.
void check_box(const Shape& inner, const std::vector<Dim>& starts, const Shape& outer) {
  if (inner.rank() != outer.rank() || starts.size() != outer.rank()) throw Error("ranks differ");
  for (std::size_t axis = 0; axis < outer.rank(); ++axis)
    if (!never_negative(starts[axis]) || !never_negative(outer[axis] - starts[axis] - inner[axis]))
      throw Error("the part from " + to_string(starts[axis]) + " to " +
                  to_string(starts[axis] + inner[axis]) + " of axis " + std::to_string(axis) +
                  " does not lie within " + to_string(outer[axis]));
}

/// The box of extents `shape` that begins at `starts`; or, embedding, the adjoint of that: a tensor of
/// extents `shape` that is x in such a box and zero elsewhere. All may hold the batch.
template <bool embeds> struct Box final : OpOf<Box<embeds>> {
  static constexpr std::string_view name = embeds ? "embed" : "slice";
  Box(std::vector<Dim> from, Shape extents) : starts(std::move(from)), shape(std::move(extents)) {}
  auto attributes() const { return std::tuple(attribute("starts", starts), attribute("shape", shape)); }
  OnnxSpelling onnx(InputShapes inputs) const {
    std::vector<Dim> rest;  // behind the box: where it ends, or how much comes then
    for (std::size_t i = 0; i < starts.size(); ++i)
      rest.push_back(embeds ? shape[i] - starts[i] - inputs[0][i] : starts[i] + shape[i]);
    if (!embeds) return {{"Slice", {OnnxInput{0}, Shape(starts), Shape(rest)}}};
    rest.insert(rest.begin(), starts.begin(), starts.end());
    return {{"Pad", {OnnxInput{0}, Shape(rest)}}};
  }
  Shape infer(InputShapes inputs) const {
    embeds ? check_box(inputs[0], starts, shape) : check_box(shape, starts, inputs[0]);
    return shape;
  }
  std::vector<Expr> vjp(const Vjp& v) const override {
    return {build<Box<!embeds>>({v.cotangent}, starts, v.inputs[0].shape())};
  }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const Extents& inner = embeds ? shapes.inputs[0] : shapes.output();
    const Extents strides = row_major_strides(embeds ? shapes.output() : shapes.inputs[0]);
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < strides.size(); ++axis)
      offset += starts[axis].resolve(shapes.dims, 0) * strides[axis];
    const StridedWalk walk(inner, strides, offset);
    if (!embeds) return [walk](const KernelArgs<T>& args) { walk.gather(args.input(), args.output()); };
    return [walk, count = element_count(shapes.output())](const KernelArgs<T>& args) {
      std::fill_n(args.output(), count, T(0));
      walk.scatter(args.input(), args.output());
    };
  }

  std::vector<Dim> starts;
  Shape shape;
};

using Slice = Box<false>;
using Embed = Box<true>;

/// Tensors of one shape but for `axis`, one after the other along it.
struct Concat final : OpOf<Concat> {
  static constexpr std::string_view name = "concat";
  explicit Concat(std::int64_t along) : axis(along) {}
  auto attributes() const { return std::tuple(attribute("axis", axis)); }
  OnnxSpelling onnx(InputShapes inputs) const {
    OnnxStep step{"Concat", {}, {{"axis", axis}}};
    for (std::size_t i = 0; i < inputs.size(); ++i) step.operands.emplace_back(OnnxInput{i});
    return {step};
  }
  Shape infer(InputShapes inputs) const {
    const std::size_t along = resolve_axis(axis, inputs[0].rank());
    Shape joined = inputs[0];
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      Shape part = inputs[i];
      if (part.rank() != joined.rank()) throw Error("ranks differ");
      const Dim length = joined[along] + part[along];
      part[along] = joined[along];
      if (part != joined) throw Error("shapes differ outside of axis " + std::to_string(axis));
      joined[along] = length;
    }
    return joined;
  }
  std::vector<Expr> vjp(const Vjp& v) const override {
    std::vector<Expr> parts;
    Dim begin = 0;
    for (const Expr& input : v.inputs) {
      const Dim end = begin + input.shape()[static_cast<std::size_t>(axis)];
      parts.push_back(slice(v.cotangent, axis, begin, end));
      begin = end;
    }
    return parts;
  }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const Extents strides = row_major_strides(shapes.output());
    std::vector<StridedWalk> walks;
    std::int64_t offset = 0;
    for (const Extents& part : shapes.inputs) {
      walks.emplace_back(part, strides, offset);
      offset += part[static_cast<std::size_t>(axis)] * strides[static_cast<std::size_t>(axis)];
    }
    return [walks](const KernelArgs<T>& args) {
      for (std::size_t i = 0; i < walks.size(); ++i) walks[i].scatter(args.input(i), args.output());
    };
  }

  std::int64_t axis;
};

}  // namespace

Expr slice(Arg x, std::int64_t axis, Dim begin, Dim end) {
  const auto along = static_cast<std::size_t>(axis_of(Slice::name, x, axis));
  Shape shape = x.expr.shape();
  std::vector<Dim> starts(shape.rank(), 0);
  starts[along] = begin;
  shape[along] = end - begin;
  if (shape == x.expr.shape() && begin == Dim(0)) return x.expr;
  return slice(x, std::move(starts), std::move(shape));
}

Expr slice(Arg x, std::vector<Dim> starts, Shape shape) {
  return build<Slice>({x}, std::move(starts), std::move(shape));
}

Expr embed(Arg x, std::vector<Dim> starts, Shape shape) {
  return build<Embed>({x}, std::move(starts), std::move(shape));
}

Expr concat(const std::vector<Arg>& parts, std::int64_t axis, Location where) {
  if (parts.empty())
    throw Error(std::string(Concat::name) + " at " + to_string(where) + ": there is nothing to join");
  const std::int64_t along = axis_of(Concat::name, parts.front(), axis);
  if (parts.size() == 1) return parts.front().expr;
  return make_node(std::make_shared<const Concat>(along), parts);
}

}  // namespace gradus
