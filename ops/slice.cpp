#include "gradus/ops/slice.hpp"

#include "gradus/graph/graph.hpp"
#include "gradus/ops/builtin.hpp"

namespace gradus {

namespace {
// a·B + c ≥ 0 for every B ≥ 1.
bool never_negative(Dim d) { return d.per_batch() >= 0 && d.per_batch() + d.constant() >= 0; }
}  // namespace

void Box::check(const Shape& inner, const std::vector<Dim>& starts, const Shape& outer) {
  if (inner.rank() != outer.rank() || starts.size() != outer.rank()) throw Error("ranks differ");
  for (std::size_t axis = 0; axis < outer.rank(); ++axis)
    if (!never_negative(starts[axis]) || !never_negative(outer[axis] - starts[axis] - inner[axis]))
      throw Error("the part from " + to_string(starts[axis]) + " to " +
                  to_string(starts[axis] + inner[axis]) + " of axis " + std::to_string(axis) +
                  " does not lie within " + to_string(outer[axis]));
}

std::int64_t Box::offset(const std::vector<Dim>& starts, const Extents& outer, std::int64_t batch) {
  const Extents strides = row_major_strides(outer);
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < outer.size(); ++axis)
    offset += starts[axis].resolve(batch, 0) * strides[axis];
  return offset;
}

std::vector<Expr> Slice::vjp(const Vjp& v) const {
  return {builtin<Embed>({v.cotangent}, starts, v.inputs[0].shape())};
}

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

Expr slice(Arg x, std::int64_t axis, Dim begin, Dim end) {
  const auto along = static_cast<std::size_t>(axis_of(Slice::name, x, axis));
  Shape shape = x.expr.shape();
  std::vector<Dim> starts(shape.rank(), 0);
  starts[along] = begin;
  shape[along] = end - begin;
  if (shape == x.expr.shape() && begin == Dim(0)) return x.expr;
  return builtin<Slice>({x}, std::move(starts), std::move(shape));
}

Expr concat(const std::vector<Arg>& parts, std::int64_t axis) {
  if (parts.empty()) throw Error("concat: there is nothing to join");
  const std::int64_t along = axis_of(Concat::name, parts.front(), axis);
  if (parts.size() == 1) return parts.front().expr;
  return make_node(std::make_shared<const Concat>(along), parts);
}

}  // namespace gradus
