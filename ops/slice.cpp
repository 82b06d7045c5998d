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

// How many elements lie before the box.
std::int64_t offset_of(const std::vector<Dim>& starts, const Extents& outer, const DimBindings& dims) {
  const Extents strides = row_major_strides(outer);
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < outer.size(); ++axis)
    offset += starts[axis].resolve(dims, 0) * strides[axis];
  return offset;
}

/// The box of extents `shape` that begins at `starts`. Both may hold the batch.
class Slice final : public OpOf<Slice> {
 public:
  static constexpr std::string_view name = "slice";
  Slice(std::vector<Dim> from, Shape extents) : starts(std::move(from)), shape(std::move(extents)) {}
  auto attributes() const { return std::tuple(attribute("starts", starts), attribute("shape", shape)); }
  OnnxSpelling onnx(InputShapes) const {
    std::vector<Dim> ends;
    for (std::size_t i = 0; i < starts.size(); ++i) ends.push_back(starts[i] + shape[i]);
    return {{"Slice", {OnnxInput{0}, Shape(starts), Shape(ends)}}};
  }
  Shape infer(InputShapes inputs) const {
    check_box(shape, starts, inputs[0]);
    return shape;
  }
  std::vector<Expr> vjp(const Vjp& v) const override {
    return {embed(v.cotangent, starts, v.inputs[0].shape())};
  }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const StridedWalk walk(shapes.output(), row_major_strides(shapes.inputs[0]),
                           row_major_strides(shapes.output()));
    const auto offset = offset_of(starts, shapes.inputs[0], shapes.dims);
    return [walk, offset](const KernelArgs<T>& args) {
      strided_copy(walk, args.input() + offset, args.output());
    };
  }

  std::vector<Dim> starts;
  Shape shape;
};

/// The adjoint of Slice: x at `starts` in a tensor of `shape` that is zero elsewhere.
class Embed final : public OpOf<Embed> {
 public:
  static constexpr std::string_view name = "embed";
  Embed(std::vector<Dim> at, Shape extents) : starts(std::move(at)), shape(std::move(extents)) {}
  auto attributes() const { return std::tuple(attribute("starts", starts), attribute("shape", shape)); }
  OnnxSpelling onnx(InputShapes inputs) const {
    std::vector<Dim> around = starts;
    for (std::size_t i = 0; i < starts.size(); ++i) around.push_back(shape[i] - starts[i] - inputs[0][i]);
    return {{"Pad", {OnnxInput{0}, Shape(around)}}};
  }
  Shape infer(InputShapes inputs) const {
    check_box(inputs[0], starts, shape);
    return shape;
  }
  std::vector<Expr> vjp(const Vjp& v) const override {
    return {slice(v.cotangent, starts, v.inputs[0].shape())};
  }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const StridedWalk walk(shapes.inputs[0], row_major_strides(shapes.inputs[0]),
                           row_major_strides(shapes.output()));
    const auto offset = offset_of(starts, shapes.output(), shapes.dims);
    const auto count = static_cast<std::size_t>(element_count(shapes.output()));
    return [walk, offset, count](const KernelArgs<T>& args) {
      std::fill_n(args.output(), count, T(0));
      strided_copy(walk, args.input(), args.output() + offset);
    };
  }

  std::vector<Dim> starts;
  Shape shape;
};

/// Tensors of one shape but for `axis`, one after the other along it.
class Concat final : public OpOf<Concat> {
 public:
  static constexpr std::string_view name = "concat";
  explicit Concat(std::int64_t along) : axis(along) {}
  auto attributes() const { return std::tuple(attribute("axis", axis)); }
  OnnxSpelling onnx(InputShapes inputs) const {
    OnnxStep step{"Concat", {}, {{"axis", axis}}};
    for (std::size_t i = 0; i < inputs.size(); ++i) step.operands.emplace_back(OnnxInput{i});
    return {step};
  }
  Shape infer(InputShapes inputs) const;
  std::vector<Expr> vjp(const Vjp& v) const override;

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const Extents strides = row_major_strides(shapes.output());
    std::vector<StridedWalk> walks;
    std::vector<std::int64_t> offsets;
    std::int64_t offset = 0;
    for (const Extents& part : shapes.inputs) {
      walks.emplace_back(part, row_major_strides(part), strides);
      offsets.push_back(offset);
      offset += part[static_cast<std::size_t>(axis)] * strides[static_cast<std::size_t>(axis)];
    }
    return [walks, offsets](const KernelArgs<T>& args) {
      for (std::size_t i = 0; i < walks.size(); ++i)
        strided_copy(walks[i], args.input(i), args.output() + offsets[i]);
    };
  }

  std::int64_t axis;
};

Shape Concat::infer(InputShapes inputs) const {
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

std::vector<Expr> Concat::vjp(const Vjp& v) const {
  std::vector<Expr> parts;
  Dim begin = 0;
  for (const Expr& input : v.inputs) {
    const Dim end = begin + input.shape()[static_cast<std::size_t>(axis)];
    parts.push_back(slice(v.cotangent, axis, begin, end));
    begin = end;
  }
  return parts;
}

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

Expr concat(const std::vector<Arg>& parts, std::int64_t axis) {
  if (parts.empty()) throw Error("concat: there is nothing to join");
  const std::int64_t along = axis_of(Concat::name, parts.front(), axis);
  if (parts.size() == 1) return parts.front().expr;
  return make_node(std::make_shared<const Concat>(along), parts);
}

}  // namespace gradus
