#include "gradus/ops/reduction.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "gradus/ops/comparison.hpp"
#include "gradus/ops/extremum.hpp"
#include "gradus/ops/linear_recurrence.hpp"
#include "gradus/ops/power.hpp"
#include "gradus/ops/rules.hpp"
#include "gradus/ops/view.hpp"
#include "gradus/ops/where.hpp"
#include "ops/kernels/strides.hpp"
#include "ops/kernels/tree.hpp"

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

// A reduction's loops: `lead` times, `rows` of the first axis that is reduced are combined into `columns`.
struct ReductionLoops {
  std::int64_t lead = 1;
  std::int64_t rows = 1;
  std::int64_t columns = 1;
  std::int64_t row_size = 1;  // more than the columns where axes behind are reduced, too
  StridedWalk row;            // from a row to the columns

  std::int64_t leaf_size() const { return row_size == columns ? leaf_of_eights : leaf_of_ones; }
};

// The shape without these axes.
Shape without(const Shape& shape, const Axes& axes) {
  Shape left;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis)
    if (std::ranges::count(axes, static_cast<std::int64_t>(axis)) == 0) left.push_back(shape[axis]);
  return left;
}

// The base of Sum, Prod, Max and Min: axes are reduced away (their extents dropped). `Derived` supplies
// `initial<T>()`, `combine(a, b)` and `combine_row(row, n)`.
template <class Derived> struct Reduction : OpOf<Derived> {
  explicit Reduction(Axes reduced) : axes(std::move(reduced)) {}
  auto attributes() const { return std::tuple(attribute("axes", axes)); }
  Traits traits() const final { return {.reduction = true}; }

  Shape infer(InputShapes inputs) const { return without(inputs[0], axes); }

  double flop(const KernelShapes& shapes) const final {
    return static_cast<double>(element_count(shapes.inputs[0]));
  }

  ReductionLoops loops(const Extents& from) const {
    const auto first = static_cast<std::size_t>(axes.front());
    std::size_t last = first + 1;  // past the reduced axes that are neighbours
    while (last < from.size() && reduces(last)) ++last;
    const std::span<const std::int64_t> all(from);
    const Extents row(from.begin() + static_cast<std::ptrdiff_t>(last), from.end());
    Extents strides(row.size());
    std::int64_t columns = 1;
    for (std::size_t axis = from.size(); axis-- > last;)
      if (!reduces(axis)) {
        strides[axis - last] = columns;
        columns *= from[axis];
      }
    return {element_count(all.first(first)), element_count(all.subspan(first, last - first)), columns,
            element_count(row), StridedWalk(row, strides)};
  }

  std::size_t workspace_bytes(const KernelShapes& shapes, DType dtype) const final {
    const ReductionLoops sizes = loops(shapes.inputs[0]);
    if (sizes.row_size == 1) return 0;
    return static_cast<std::size_t>((slots_of_tree(sizes.rows, sizes.leaf_size()) - 1) * sizes.columns) *
           bytes_of(dtype);
  }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const auto reduce = version_for_isa<Reduce, const ReductionLoops&, const T*, T*, T*>();
    return [sizes = loops(shapes.inputs[0]), reduce](const KernelArgs<T>& args) {
      reduce(sizes, args.input(), args.output(), reinterpret_cast<T*>(args.workspace));
    };
  }

  struct Reduce {
    template <Isa isa, class T>
    static void run(const ReductionLoops& sizes, const T* in, T* out, T* workspace) {
      const std::int64_t rows = sizes.rows, columns = sizes.columns, row_size = sizes.row_size;
      for (std::int64_t i = 0; i < sizes.lead; ++i, in += rows * row_size, out += columns) {
        if (row_size == 1) {
          *out = Derived::combine_row(in, rows);
          continue;
        }
        const auto slot = [&](std::int64_t k) { return k == 0 ? out : workspace + (k - 1) * columns; };
        walk_tree(
            rows, sizes.leaf_size(),
            [&](std::int64_t to, std::int64_t begin, std::int64_t end) {
              std::fill_n(slot(to), columns, Derived::template initial<T>());
              if (row_size == columns)
                add_rows(end - begin, columns, in + begin * columns, slot(to));
              else
                for (std::int64_t r = begin; r < end; ++r) add_row(sizes.row, in + r * row_size, slot(to));
            },
            [&](std::int64_t to) { add_rows(1, columns, slot(to + 1), slot(to)); });
      }
    }

    // Eight at a time: one by one, each would wait for what the one before has written.
    template <class T>
    static void add_rows(std::int64_t rows, std::int64_t columns, const T* __restrict in, T* __restrict out) {
      constexpr std::int64_t together = 8;
      std::int64_t r = 0;
      for (; r + together <= rows; r += together, in += together * columns) {
        const auto pair = [=](std::int64_t i, std::int64_t row) {
          return Derived::combine(in[row * columns + i], in[(row + 1) * columns + i]);
        };
        for (std::int64_t i = 0; i < columns; ++i)
          out[i] = Derived::combine(out[i], Derived::combine(Derived::combine(pair(i, 0), pair(i, 2)),
                                                             Derived::combine(pair(i, 4), pair(i, 6))));
      }
      for (; r < rows; ++r, in += columns)
        for (std::int64_t i = 0; i < columns; ++i) out[i] = Derived::combine(out[i], in[i]);
    }

    template <class T> static void add_row(const StridedWalk& walk, const T* in, T* out) {
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
  template <class T> static T combine_row(const T* row, std::int64_t n) {
    return tree_sum<T>(n, [row](std::int64_t i) { return row[i]; });
  }
};

// A product along one axis. The slope is the product of the others, from before and from behind: right where
// factors are 0, too. Where these leave the range of the type on the way, it is the product of all but 0,
// over x.
struct Prod final : Reduction<Prod> {
  static constexpr std::string_view name = "prod";
  using Reduction::Reduction;
  OnnxSpelling onnx(InputShapes) const {
    return {{"ReduceProd", {OnnxInput{0}}, {{"axes", axes}, {"keepdims", std::int64_t{0}}}}};
  }
  std::vector<Expr> vjp(const Vjp& v) const override {
    const Expr& x = v.inputs[0];
    const Expr none = x.graph().full(x.shape(), 0.0);
    const Expr before = linear_recurrence(x, none, axes[0], {.first = 1});
    const Expr behind = linear_recurrence(x, none, axes[0], {.first = 1, .from_the_end = true});
    const Expr others = weighted_both(before, behind), zero = equal(x, 0), some = where(zero, 1, x);
    const Expr whole = spread(prod(some, axes), x.shape());
    const Expr lost = not_equal(others - others, 0) + equal(others, 0);
    const Expr usable = not_equal(whole, 0) * equal(whole - whole, 0);
    const Expr no_other_zero = equal(spread(sum(zero, axes), x.shape()), zero);
    const Expr rescued = lost * usable * no_other_zero;
    return {weighted(spread(v.cotangent, x.shape()), where(rescued, whole / some, others))};
  }

  template <class T> static T initial() { return 1; }
  template <class T> static T combine(T a, T b) { return a * b; }
  template <class T> static T combine_row(const T* row, std::int64_t n) {
    return tree_fold(
        n, T(1), [row](std::int64_t i) { return row[i]; }, combine<T>);
  }
};

template <bool largest> struct Extreme final : Reduction<Extreme<largest>> {
  static constexpr std::string_view name = largest ? "max" : "min";
  using Reduction<Extreme>::Reduction, Reduction<Extreme>::axes;
  OnnxSpelling onnx(InputShapes) const {
    return {{largest ? "ReduceMax" : "ReduceMin",
             {OnnxInput{0}},
             {{"axes", axes}, {"keepdims", std::int64_t{0}}}}};
  }
  // The extreme elements share the gradient.
  std::vector<Expr> vjp(const Vjp& v) const override {
    const Shape& shape = v.inputs[0].shape();
    const Expr extreme = equal(v.inputs[0], this->spread(v.output, shape));
    return {extreme * this->spread(weighted(v.cotangent, 1 / sum(extreme, axes)), shape)};
  }

  template <class T> static T initial() { return (largest ? -1 : 1) * std::numeric_limits<T>::infinity(); }
  // NaN wins.
  template <class T> static T combine(T a, T b) {
    return (largest ? a >= b : a <= b) || std::isnan(a) ? a : b;
  }
  template <class T> static T combine_row(const T* row, std::int64_t n) {
    T extreme = row[0];
    for (std::int64_t i = 1; i < n; ++i) extreme = combine(extreme, row[i]);
    return extreme;
  }
};

// Its second input times its third, which is the norm of the first over the second, with the slope x / |x|,
// and 0 where x is. The slope is that of x over the second input, so that it is right where the norm
// overflows.
struct Norm final : OpOf<Norm> {
  static constexpr std::string_view name = "norm";
  static OnnxSpelling onnx(InputShapes) { return {{"Mul", {OnnxInput{1}, OnnxInput{2}}}}; }
  Shape infer(InputShapes inputs) const { return inputs[1]; }
  std::vector<Expr> vjp(const Vjp& v) const override {
    if (!v.wanted[0]) return no_gradient(v);
    const Expr &x = v.inputs[0], &scale = v.inputs[1], &size = v.inputs[2];
    const Expr unit = x.graph().full(scale.shape(), 1.0), scaled = x / scale;
    const Expr slope = scaled / build<Norm>({scaled, unit, size});
    return {weighted(v.cotangent, where(equal(size, 0), 0, slope)), Expr(), Expr()};
  }
  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    return [count = element_count(shapes.output())](const KernelArgs<T>& args) {
      for (std::int64_t i = 0; i < count; ++i) args.output()[i] = args.input(1)[i] * args.input(2)[i];
    };
  }
};

// The axes as the op wants them.
Axes normalise(const Arg& x, const Axes& axes, std::string_view op) {
  graph_of(op, {&x, 1});
  Axes sorted;
  for (const auto axis : axes) sorted.push_back(axis_of(op, x, axis));
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) fail(op, {&x, 1}, "an axis is given twice");
  return sorted;
}

Axes all_axes_of(std::string_view op, const Arg& x) {
  graph_of(op, {&x, 1});
  return all_axes(x.expr);
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

Expr max(Arg x, const Axes& axes, bool keep_axes) { return reduce<Extreme<true>>(x, axes, keep_axes); }

Expr min(Arg x, const Axes& axes, bool keep_axes) { return reduce<Extreme<false>>(x, axes, keep_axes); }

Expr prod(Arg x, const Axes& axes, bool keep_axes) {
  Axes sorted = normalise(x, axes, Prod::name);
  Expr product = x.expr;
  for (; !sorted.empty(); sorted.pop_back())
    product = reduce<Prod>({product, x.where}, {sorted.back()}, keep_axes);
  return product;
}

Expr mean(Arg x, const Axes& axes, bool keep_axes) {
  const Axes sorted = normalise(x, axes, "mean");
  const Expr total = sum(x, sorted, keep_axes);
  Dim count = 1;
  try {
    for (const auto axis : sorted) count = count * x.expr.shape()[static_cast<std::size_t>(axis)];
  } catch (const Error& error) {
    fail("mean", {&x, 1}, error.what());
  }
  const Graph::Scope scope(total.graph(), x.where);
  return total / total.graph().full(total.shape(), count, x.where);
}

// Scaled by the largest, so that no square overflows, nor vanishes.
Expr norm(Arg x, const Axes& axes, bool keep_axes) {
  const Axes sorted = normalise(x, axes, "norm");
  const Graph::Scope scope(x.expr.graph(), x.where);
  const Expr largest = max(abs(stop_gradient(x)), sorted, true);
  const Expr usual = (largest > 0) * equal(largest - largest, 0);  // and finite
  const Expr scale = where(usual, largest, 1);
  const Expr kept = build<Norm>({x, scale, sqrt(sum(square(stop_gradient(x) / scale), sorted, true))});
  return keep_axes ? kept : reshape(kept, without(kept.shape(), sorted));
}

Expr broadcast_to(Arg x, const Shape& shape) {
  if (x.expr.is_literal())
    fail(BroadcastTo::name, {&x, 1}, "a bare number has no graph here; use graph.full(shape, number)");
  graph_of(BroadcastTo::name, {&x, 1});
  return x.expr.shape() == shape ? x.expr : build<BroadcastTo>({x}, shape);
}

Expr sum(Arg x) { return sum(x, all_axes_of("sum", x)); }

Expr mean(Arg x) { return mean(x, all_axes_of("mean", x)); }

Expr norm(Arg x) { return norm(x, all_axes_of("norm", x)); }

Expr max(Arg x) { return max(x, all_axes_of("max", x)); }

Expr min(Arg x) { return min(x, all_axes_of("min", x)); }

Expr prod(Arg x) { return prod(x, all_axes_of("prod", x)); }

}  // namespace gradus
