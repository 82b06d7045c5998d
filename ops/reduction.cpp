#include "gradus/ops/reduction.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/ops/comparison.hpp"
#include "gradus/ops/rules.hpp"
#include "gradus/ops/view.hpp"
#include "ops/kernels/strides.hpp"

namespace gradus {

namespace {

class BroadcastTo final : public OpOf<BroadcastTo> {
 public:
  static constexpr std::string_view name = "broadcast_to";
  explicit BroadcastTo(Shape to) : shape(std::move(to)) {}
  auto attributes() const { return std::tuple(attribute("shape", shape)); }
  OnnxSpelling onnx(InputShapes) const { return {{"Expand", {OnnxInput{0}, shape}}}; }
  Traits traits() const override { return {.broadcast = true}; }

  Shape infer(InputShapes inputs) const {
    const Shape& from = inputs[0];
    bool fits = from.rank() <= shape.rank();
    for (std::size_t i = 1; fits && i <= from.rank(); ++i) {
      const Dim extent = from[from.rank() - i];
      fits = extent == shape[shape.rank() - i] || extent == Dim(1);
    }
    if (!fits) throw Error("cannot be broadcast to " + to_string(shape));
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
    const StridedWalk walk(to, repeating, row_major_strides(to));
    return [walk](const KernelArgs<T>& args) { strided_copy(walk, args.input(), args.output()); };
  }

  Shape shape;
};

// The base of Sum and Max: axes are reduced away (their extents dropped). `Derived` supplies `initial<T>()`,
// `combine(a, b)` and `combine_row(row, n, stride)`.
template <class Derived> class Reduction : public OpOf<Derived> {
 public:
  explicit Reduction(std::vector<std::int64_t> reduced) : axes(std::move(reduced)) {}
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
    const auto count = static_cast<std::size_t>(element_count(shapes.output()));
    if (reduces_rows(from)) {
      const auto reduce = version_for_isa<ReduceRows, std::int64_t, std::int64_t, const T*, T*>();
      const std::int64_t columns = element_count(shapes.output());
      return [reduce, rows = element_count(from) / columns, columns](const KernelArgs<T>& args) {
        std::fill_n(args.output(), columns, Derived::template initial<T>());
        reduce(rows, columns, args.input(), args.output());
      };
    }
    const Extents kept = row_major_strides(shapes.output());
    Extents strides;  // into the output, which stands still along reduced axes
    for (std::size_t axis = 0, next = 0; axis < from.size(); ++axis)
      strides.push_back(reduces(axis) ? 0 : kept[next++]);
    const StridedWalk walk(from, row_major_strides(from), strides);
    const auto reduce = version_for_isa<Reduce, const StridedWalk&, const T*, T*>();
    return [walk, count, reduce](const KernelArgs<T>& args) {
      std::fill_n(args.output(), count, Derived::template initial<T>());
      reduce(walk, args.input(), args.output());
    };
  }

  std::vector<std::int64_t> axes;  // not negative, increasing

 private:
  // Whether what is left are the last axes.
  bool reduces_rows(const Extents& from) const {
    return axes.size() < from.size() && axes.back() + 1 == static_cast<std::int64_t>(axes.size());
  }

  // Eight rows at a time: one by one, each would wait for what the one before has written.
  struct ReduceRows {
    template <Isa isa, class T>
    static void run(std::int64_t rows, std::int64_t columns, const T* in, T* out) {
      constexpr std::int64_t together = 8;
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
    template <Isa isa, class T> static void run(const StridedWalk& walk, const T* in, T* out) {
      walk([&](std::int64_t a, std::int64_t b, std::int64_t n, std::int64_t stride_a, std::int64_t stride_b) {
        const T* from = in + a;
        T* to = out + b;
        if (stride_b == 0)
          *to = Derived::combine(*to, Derived::combine_row(from, n, stride_a));
        else if (stride_a == 1 && stride_b == 1)
          for (std::int64_t i = 0; i < n; ++i) to[i] = Derived::combine(to[i], from[i]);
        else
          for (std::int64_t i = 0; i < n; ++i)
            to[i * stride_b] = Derived::combine(to[i * stride_b], from[i * stride_a]);
      });
    }
  };

 protected:
  bool reduces(std::size_t axis) const {
    return std::ranges::count(axes, static_cast<std::int64_t>(axis)) > 0;
  }
  // `y`, which lacks the reduced axes, repeated along them.
  Expr spread(const Expr& y, const Shape& shape) const {
    Shape kept = shape;
    for (const auto axis : axes) kept[static_cast<std::size_t>(axis)] = 1;
    return broadcast_to(reshape(y, kept), shape);
  }
};

class Sum final : public Reduction<Sum> {
 public:
  static constexpr std::string_view name = "sum";
  using Reduction::Reduction;
  OnnxSpelling onnx(InputShapes) const {
    return {{"ReduceSum", {OnnxInput{0}, Shape(axes)}, {{"keepdims", std::int64_t{0}}}}};
  }
  std::vector<Expr> vjp(const Vjp& v) const override { return {spread(v.cotangent, v.inputs[0].shape())}; }

  template <class T> static T initial() { return 0; }
  template <class T> static T combine(T a, T b) { return a + b; }
  // Eight partial sums: faster, and more exact, than one.
  template <class T> static T combine_row(const T* row, std::int64_t n, std::int64_t stride) {
    T parts[8] = {};
    std::int64_t i = 0;
    if (stride == 1)
      for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; ++k) parts[k] += row[i + k];
    for (; i < n; ++i) parts[i % 8] += row[i * stride];
    return ((parts[0] + parts[4]) + (parts[2] + parts[6])) + ((parts[1] + parts[5]) + (parts[3] + parts[7]));
  }
};

class Max final : public Reduction<Max> {
 public:
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
  template <class T> static T combine(T a, T b) {
    return a >= b || std::isnan(a) ? a : b;  // NaN wins
  }
  template <class T> static T combine_row(const T* row, std::int64_t n, std::int64_t stride) {
    T largest = row[0];
    for (std::int64_t i = 1; i < n; ++i) largest = combine(largest, row[i * stride]);
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

Expr broadcast_to(Arg x, const Shape& shape) {
  if (x.expr.is_literal()) throw Error("broadcast_to: a bare number; use graph.full(shape, number)");
  return x.expr.shape() == shape ? x.expr : build<BroadcastTo>({x}, shape);
}

Expr sum(Arg x) { return sum(x, all_axes(x.expr)); }

Expr mean(Arg x) { return mean(x, all_axes(x.expr)); }

Expr max(Arg x) { return max(x, all_axes(x.expr)); }

}  // namespace gradus
