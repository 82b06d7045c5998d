#include "gradus/ops/reduction.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "gradus/ops/comparison.hpp"
#include "gradus/ops/rules.hpp"
#include "gradus/ops/view.hpp"
#include "ops/kernels/strides.hpp"

namespace gradus {

namespace {

struct BroadcastTo final : OpOf<BroadcastTo> {
  static constexpr std::string_view name = "broadcast_to";
  explicit BroadcastTo(Shape to) : shape(std::move(to)) {}
  auto attributes() const { return std::tuple(attribute("shape", shape)); }
  OnnxSpelling onnx(InputShapes) const { return {{"Expand", {OnnxInput{0}, shape}}}; }
  Traits traits() const override { return {.broadcast = true}; }

  Shape infer(InputShapes inputs) const {
    const Shape& from = inputs[0];
    const auto fits = [](Dim extent, Dim wanted) { return extent == wanted || extent == Dim(1); };
    if (from.rank() > shape.rank() ||
        !std::equal(from.dims().rbegin(), from.dims().rend(), shape.dims().rbegin(), fits))
      throw Error("cannot be broadcast to " + to_string(shape));
    return shape;
  }

  std::vector<Expr> vjp(const Vjp& v) const override {
    const Shape& from = v.inputs[0].shape();
    const std::size_t added = shape.rank() - from.rank();
    Axes repeated;
    for (std::size_t axis = 0; axis < shape.rank(); ++axis)
      if (axis < added || from[axis - added] != shape[axis])
        repeated.push_back(static_cast<std::int64_t>(axis));
    return {reshape(sum(v.cotangent, repeated), from)};
  }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const Extents& to = shapes.output();
    const Extents& from = shapes.inputs[0];
    const Extents strides = row_major_strides(from);
    Extents repeating(to.size(), 0);
    const std::size_t added = to.size() - from.size();
    for (std::size_t axis = 0; axis < from.size(); ++axis)
      if (from[axis] == to[added + axis]) repeating[added + axis] = strides[axis];
    const StridedWalk walk(to, repeating);
    return [walk](const KernelArgs<T>& args) { walk.gather(args.input(), args.output()); };
  }

  Shape shape;
};

// The shape with extents of 1 along these axes.
Shape with_ones(Shape shape, const Axes& axes) {
  for (const auto axis : axes) shape[static_cast<std::size_t>(axis)] = 1;
  return shape;
}

// The base of Sum and Max: axes are reduced away (their extents dropped). `Derived` supplies `initial<T>()`,
// `combine(a, b)` and `combine_row(row, n)`.
template <class Derived> struct Reduction : OpOf<Derived> {
  explicit Reduction(Axes reduced) : axes(std::move(reduced)) {}
  auto attributes() const { return std::tuple(attribute("axes", axes)); }
  Traits traits() const final { return {.reduction = true}; }

  Shape infer(InputShapes inputs) const {
    Shape kept;
    for (std::size_t axis = 0; axis < inputs[0].rank(); ++axis)
      if (!reduces(axis)) kept.push_back(inputs[0][axis]);
    return kept;
  }

  double flop(const KernelShapes& shapes) const final {
    return static_cast<double>(element_count(shapes.inputs[0]));
  }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const Extents& from = shapes.inputs[0];
    const Extents kept = row_major_strides(shapes.output());
    Extents strides;  // into the output, which stands still along reduced axes
    for (std::size_t axis = 0, next = 0; axis < from.size(); ++axis)
      strides.push_back(reduces(axis) ? 0 : kept[next++]);
    const StridedWalk walk(from, strides);
    const std::int64_t count = element_count(shapes.output());
    const bool by_rows = axes.size() < from.size() && axes.back() + 1 == std::ssize(axes);
    const auto reduce = by_rows
                            ? version_for_isa<ReduceRows, const StridedWalk&, std::int64_t, const T*, T*>()
                            : version_for_isa<Reduce, const StridedWalk&, std::int64_t, const T*, T*>();
    return [walk, count, reduce](const KernelArgs<T>& args) {
      std::fill_n(args.output(), count, Derived::template initial<T>());
      reduce(walk, count, args.input(), args.output());
    };
  }

  // Rows are combined where the last axes are left, eight at a time: one by one, each would wait for what the
  // one before has written.
  struct ReduceRows {
    template <Isa isa, class T>
    static void run(const StridedWalk& walk, std::int64_t columns, const T* in, T* out) {
      constexpr std::int64_t together = 8;
      const std::int64_t rows = walk.count() / columns;
      std::int64_t r = 0;
      for (; r + together <= rows; r += together, in += together * columns) {
        const auto pair = [=](std::int64_t i, std::int64_t row) {
          return Derived::combine(in[row * columns + i], in[(row + 1) * columns + i]);
        };
#pragma GCC ivdep
        for (std::int64_t i = 0; i < columns; ++i)
          out[i] = Derived::combine(out[i], Derived::combine(Derived::combine(pair(i, 0), pair(i, 2)),
                                                             Derived::combine(pair(i, 4), pair(i, 6))));
      }
      for (; r < rows; ++r, in += columns)
        for (std::int64_t i = 0; i < columns; ++i) out[i] = Derived::combine(out[i], in[i]);
    }
  };

  struct Reduce {
    template <Isa isa, class T>
    static void run(const StridedWalk& walk, std::int64_t /*count*/, const T* in, T* out) {
      walk([&](std::int64_t a, std::int64_t b, std::int64_t n, std::int64_t stride) {
        const T* from = in + a;
        T* to = out + b;
        if (stride == 0)
          *to = Derived::combine(*to, Derived::combine_row(from, n));
        else  // 1, as the output is contiguous, too
          for (std::int64_t i = 0; i < n; ++i) to[i] = Derived::combine(to[i], from[i]);
      });
    }
  };

  bool reduces(std::size_t axis) const {
    return std::ranges::count(axes, static_cast<std::int64_t>(axis)) > 0;
  }
  // `y`, which lacks the reduced axes, repeated along them.
  Expr spread(const Expr& y, const Shape& shape) const {
    return broadcast_to(reshape(y, with_ones(shape, axes)), shape);
  }

  Axes axes;  // not negative, increasing
};

struct Sum final : Reduction<Sum> {
  static constexpr std::string_view name = "sum";
  using Reduction::Reduction;
  OnnxSpelling onnx(InputShapes) const {
    return {{"ReduceSum", {OnnxInput{0}, Shape(axes)}, {{"keepdims", std::int64_t{0}}}}};
  }
  std::vector<Expr> vjp(const Vjp& v) const override { return {spread(v.cotangent, v.inputs[0].shape())}; }

  template <class T> static T initial() { return 0; }
  template <class T> static T combine(T a, T b) { return a + b; }
  // Eight partial sums: faster, and more exact, than one.
  template <class T> static T combine_row(const T* row, std::int64_t n) {
    T parts[8] = {};
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8)
      for (int k = 0; k < 8; ++k) parts[k] += row[i + k];
    for (; i < n; ++i) parts[i % 8] += row[i];
    return ((parts[0] + parts[4]) + (parts[2] + parts[6])) + ((parts[1] + parts[5]) + (parts[3] + parts[7]));
  }
};

struct Max final : Reduction<Max> {
  static constexpr std::string_view name = "max";
  using Reduction::Reduction;
  OnnxSpelling onnx(InputShapes) const {
    return {{"ReduceMax", {OnnxInput{0}}, {{"axes", axes}, {"keepdims", std::int64_t{0}}}}};
  }
  // The largest elements share the gradient.
  std::vector<Expr> vjp(const Vjp& v) const override {
    const Shape& shape = v.inputs[0].shape();
    const Expr largest = equal(v.inputs[0], spread(v.output, shape));
    return {largest * spread(v.cotangent / sum(largest, axes), shape)};
  }

  template <class T> static T initial() { return -std::numeric_limits<T>::infinity(); }
  // NaN wins.
  template <class T> static T combine(T a, T b) { return a >= b || std::isnan(a) ? a : b; }
  template <class T> static T combine_row(const T* row, std::int64_t n) {
    T largest = row[0];
    for (std::int64_t i = 1; i < n; ++i) largest = combine(largest, row[i]);
    return largest;
  }
};

// The axes as the op wants them.
Axes normalise(const Arg& x, const Axes& axes, std::string_view op) {
  Axes sorted;
  for (const auto axis : axes) sorted.push_back(axis_of(op, x, axis));
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) fail(op, {&x, 1}, "an axis is given twice");
  return sorted;
}

template <class ReductionOp> Expr reduce(const Arg& x, const Axes& axes, bool keep_axes) {
  const Axes sorted = normalise(x, axes, ReductionOp::name);
  if (sorted.empty()) return x.expr;
  const Expr reduced = build<ReductionOp>({x}, sorted);
  return keep_axes ? reshape({reduced, x.where}, with_ones(x.expr.shape(), sorted)) : reduced;
}

}  // namespace

Axes all_axes(const Expr& x) {
  Axes axes(x.shape().rank());
  std::iota(axes.begin(), axes.end(), 0);
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

Expr broadcast_to(Arg x, const Shape& shape) {
  if (x.expr.is_literal()) throw Error("broadcast_to: a bare number; use graph.full(shape, number)");
  return x.expr.shape() == shape ? x.expr : build<BroadcastTo>({x}, shape);
}

Expr sum(Arg x) { return sum(x, all_axes(x.expr)); }

Expr mean(Arg x) { return mean(x, all_axes(x.expr)); }

Expr max(Arg x) { return max(x, all_axes(x.expr)); }

}  // namespace gradus
