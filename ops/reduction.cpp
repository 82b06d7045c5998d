#include "gradus/ops/reduction.hpp"

#include "gradus/ops/builtin.hpp"

namespace gradus {

namespace {

// The axes as the op wants them.
Axes normalise(const Arg& x, const Axes& axes, std::string_view op) {
  Axes sorted;
  for (const auto axis : axes) sorted.push_back(axis_of(op, x, axis));
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) fail(op, {&x, 1}, "an axis is given twice");
  return sorted;
}

template <class ReductionOp>
Expr reduce(const Arg& x, const Axes& axes, bool keep_axes) {
  const Axes sorted = normalise(x, axes, ReductionOp::name);
  if (sorted.empty()) return x.expr;
  const Expr reduced = builtin<ReductionOp>({x}, sorted);
  if (!keep_axes) return reduced;
  Shape kept = x.expr.shape();
  for (const auto axis : sorted) kept[static_cast<std::size_t>(axis)] = 1;
  return reshape({reduced, x.where}, kept);
}

}  // namespace

Axes all_axes(const Expr& x) {
  Axes axes;
  for (std::size_t axis = 0; axis < x.shape().rank(); ++axis) axes.push_back(static_cast<std::int64_t>(axis));
  return axes;
}

Shape broadcast_shape(const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.rank(), b.rank());
  std::vector<Dim> dims(rank);
  for (std::size_t i = 1; i <= rank; ++i) {
    const Dim x = i <= a.rank() ? a[a.rank() - i] : Dim(1);
    const Dim y = i <= b.rank() ? b[b.rank() - i] : Dim(1);
    if (x != y && x != Dim(1) && y != Dim(1))
      throw Error("shapes cannot be broadcast together (" + to_string(x) + " against " + to_string(y) + ")");
    dims[rank - i] = x == Dim(1) ? y : x;
  }
  return Shape(std::move(dims));
}

Expr sum(Arg x, const Axes& axes, bool keep_axes) { return reduce<Sum>(x, axes, keep_axes); }

Expr max(Arg x, const Axes& axes, bool keep_axes) { return reduce<Max>(x, axes, keep_axes); }

Expr mean(Arg x, const Axes& axes, bool keep_axes) {
  const Axes sorted = normalise(x, axes, "mean");
  const Expr total = sum(x, sorted, keep_axes);
  Dim count = 1;
  for (const auto axis : sorted) count = count * x.expr.shape()[static_cast<std::size_t>(axis)];
  const Graph::Scope scope(total.graph(), x.where);
  return total / total.graph().full(total.shape(), count, x.where);
}

}  // namespace gradus
