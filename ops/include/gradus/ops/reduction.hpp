#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "gradus/graph/graph.hpp"
#include "gradus/graph/op_of.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/build.hpp"
#include "gradus/ops/comparison.hpp"
#include "gradus/ops/strides.hpp"
#include "gradus/ops/view.hpp"
#include "gradus/simd/isa.hpp"

/// Broadcasting and reductions, each the other's adjoint.
namespace GRADUS_PUBLIC gradus {

/// Axes to be reduced; negative ones count from the end.
using Axes = std::vector<std::int64_t>;

/// x repeated along the axes that it lacks, or has with extent 1.
Expr broadcast_to(Arg x, const Shape& shape);

/// Reductions over the given axes (-1 is the last; Error for one that x lacks or that is given twice), or
/// over all; the axes vanish, or stay with extent 1 with `keep_axes`. `mean` over the batch divides by B.
/// Elements that tie for the maximum share its gradient.
Expr sum(Arg x, const Axes& axes, bool keep_axes = false);
Expr mean(Arg x, const Axes& axes, bool keep_axes = false);
Expr max(Arg x, const Axes& axes, bool keep_axes = false);

class BroadcastTo final : public OpOf<BroadcastTo> {
 public:
  static constexpr std::string_view name = "broadcast_to";
  explicit BroadcastTo(Shape to) : shape(std::move(to)) {}
  auto attributes() const { return std::tuple(attribute("shape", shape)); }
  OnnxSpelling onnx(InputShapes) const { return {{"Expand", {OnnxInput{0}, shape}}}; }
  Traits traits() const override { return {.broadcast = true}; }

  Shape infer(InputShapes inputs) const override {
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

  template <class T>
  Kernel<T> make_kernel(const Signature& signature) const {
    const Extents& to = signature.output;
    const Extents& from = signature.inputs[0];
    const Extents strides = row_major_strides(from);
    Extents repeating(to.size(), 0);
    const std::size_t added = to.size() - from.size();
    for (std::size_t axis = 0; axis < from.size(); ++axis)
      if (from[axis] == to[added + axis]) repeating[added + axis] = strides[axis];
    const StridedWalk walk(to, repeating, row_major_strides(to));
    return [walk](const T* const* in, T* out) { strided_copy(walk, in[0], out); };
  }

  Shape shape;
};

/// What Sum and Max share: axes reduced away (their extents dropped). `Derived` supplies `initial<T>()`,
/// `combine(a, b)` and `combine_row(row, n, stride)`.
template <class Derived>
class Reduction : public OpOf<Derived> {
 public:
  explicit Reduction(std::vector<std::int64_t> reduced) : axes(std::move(reduced)) {}
  auto attributes() const { return std::tuple(attribute("axes", axes)); }
  Traits traits() const final { return {.reduction = true}; }

  Shape infer(InputShapes inputs) const final {
    Shape kept;
    for (std::size_t axis = 0; axis < inputs[0].rank(); ++axis)
      if (!reduces(axis)) kept.push_back(inputs[0][axis]);
    return kept;
  }

  double flop(const Signature& signature) const final {
    return static_cast<double>(element_count(signature.inputs[0]));
  }

  template <class T>
  Kernel<T> make_kernel(const Signature& signature) const {
    const Extents& from = signature.inputs[0];
    const auto count = static_cast<std::size_t>(element_count(signature.output));
    if (reduces_rows(from)) {
      const auto reduce = version_for_isa<ReduceRows, std::int64_t, std::int64_t, const T*, T*>();
      const std::int64_t columns = element_count(signature.output);
      return [reduce, rows = element_count(from) / columns, columns](const T* const* in, T* out) {
        for (std::int64_t i = 0; i < columns; ++i) out[i] = Derived::template initial<T>();
        reduce(rows, columns, in[0], out);
      };
    }
    const Extents kept = row_major_strides(signature.output);
    Extents strides;  // into the output, which stands still along reduced axes
    for (std::size_t axis = 0, next = 0; axis < from.size(); ++axis)
      strides.push_back(reduces(axis) ? 0 : kept[next++]);
    const StridedWalk walk(from, row_major_strides(from), strides);
    const auto reduce = version_for_isa<Reduce, const StridedWalk&, const T*, T*>();
    return [walk, count, reduce](const T* const* in, T* out) {
      for (std::size_t i = 0; i < count; ++i) out[i] = Derived::template initial<T>();
      reduce(walk, in[0], out);
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
    template <Isa isa, class T>
    static void run(const StridedWalk& walk, const T* in, T* out) {
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
    // NOLINTNEXTLINE(readability-use-anyofallof): <algorithm> makes users' programs slow to compile
    for (const std::int64_t reduced : axes)
      if (reduced == static_cast<std::int64_t>(axis)) return true;
    return false;
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

  template <class T>
  static T initial() {
    return 0;
  }
  template <class T>
  static T combine(T a, T b) {
    return a + b;
  }
  // Eight partial sums: faster, and more exact, than one.
  template <class T>
  static T combine_row(const T* row, std::int64_t n, std::int64_t stride) {
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

  template <class T>
  static T initial() {
    return -std::numeric_limits<T>::infinity();
  }
  template <class T>
  static T combine(T a, T b) {
    return a >= b || std::isnan(a) ? a : b;  // NaN wins
  }
  template <class T>
  static T combine_row(const T* row, std::int64_t n, std::int64_t stride) {
    T largest = row[0];
    for (std::int64_t i = 1; i < n; ++i) largest = combine(largest, row[i * stride]);
    return largest;
  }
};

/// Repeats x along axes of extent 1 and along new axes in front, as NumPy does; the batch is never taken
/// for 1. Error when the shapes do not fit.
inline Expr broadcast_to(Arg x, const Shape& shape) {
  if (x.expr.is_literal()) throw Error("broadcast_to: a bare number; use graph.full(shape, number)");
  return x.expr.shape() == shape ? x.expr : builtin<BroadcastTo>({x}, shape);
}

/// The shape to which both can be broadcast; Error when there is none.
Shape broadcast_shape(const Shape& a, const Shape& b);

/// All axes of x.
Axes all_axes(const Expr& x);

/// Over all axes.
inline Expr sum(Arg x) { return sum(x, all_axes(x.expr)); }
inline Expr mean(Arg x) { return mean(x, all_axes(x.expr)); }
inline Expr max(Arg x) { return max(x, all_axes(x.expr)); }

}  // namespace gradus
