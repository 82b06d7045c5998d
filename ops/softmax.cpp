#include "gradus/ops/softmax.hpp"

#include <cmath>

#include "gradus/ops/exponential.hpp"
#include "gradus/ops/reduction.hpp"
#include "gradus/ops/rules.hpp"
#include "gradus/ops/view.hpp"
#include "ops/kernels/tree.hpp"

namespace gradus {

namespace {

// The ops below work on lines along an axis.
struct Lines {
  std::int64_t outer, n, stride;  // `outer` · `stride` lines of n numbers, `stride` apart

  Lines(const Extents& from, std::int64_t axis) {
    const std::span<const std::int64_t> all(from);
    const auto along = static_cast<std::size_t>(axis);
    outer = element_count(all.first(along));
    n = from[along];
    stride = element_count(all.subspan(along + 1));
  }
  // `work(line, start)` for the number of each line and where it starts.
  template <class Work> void each(Work work) const {
    for (std::int64_t i = 0; i < outer; ++i)
      for (std::int64_t j = 0; j < stride; ++j) work(i * stride + j, i * n * stride + j);
  }
};

// The place of the largest of a line; NaN wins.
template <class T> std::int64_t peak_of(const T* x, std::int64_t n, std::int64_t stride) {
  std::int64_t peak = 0;
  for (std::int64_t i = 1; i < n; ++i)
    if (!(x[peak * stride] >= x[i * stride]) && !std::isnan(x[peak * stride])) peak = i;
  return peak;
}

// `Derived` supplies `line(x, y, n, stride, peak)`, where no exponential of x - x[peak] overflows.
template <class Derived> struct AlongAxis : OpOf<Derived> {
  static constexpr bool keeps_axis = true;
  explicit AlongAxis(std::int64_t along) : axis(along) {}
  auto attributes() const { return std::tuple(attribute("axis", axis)); }

  Shape infer(InputShapes inputs) const {
    std::vector<Dim> dims = inputs[0].dims();
    if (!Derived::keeps_axis) dims.erase(dims.begin() + axis);
    return Shape(std::move(dims));
  }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    return [lines = Lines(shapes.inputs[0], axis)](const KernelArgs<T>& args) {
      lines.each([&](std::int64_t line, std::int64_t start) {
        const T* x = args.input() + start;
        Derived::line(x, args.output() + (Derived::keeps_axis ? start : line), lines.n, lines.stride,
                      peak_of(x, lines.n, lines.stride));
      });
    };
  }

  // x[i] − x[peak], which of the peak itself is 0, be it infinite.
  template <class T> static T below_peak(const T* x, std::int64_t i, std::int64_t stride, std::int64_t peak) {
    const T largest = x[peak * stride];
    return i == peak && !std::isnan(largest) ? T(0) : x[i * stride] - largest;
  }
  // log Σ e^(x − x[peak]). The peak adds 1: log1p of what the others add keeps the digits of small ones.
  template <class T>
  static T log_sum_exp(const T* x, std::int64_t n, std::int64_t stride, std::int64_t peak) {
    const T largest = x[peak * stride];
    return std::log1p(
        tree_sum<T>(n, [=](std::int64_t i) { return i == peak ? T(0) : std::exp(x[i * stride] - largest); }));
  }

  std::int64_t axis;  // not negative
};

// c − Σ p·c along an axis, for p ≥ 0 whose sum is 1: how far each is from the mean that p weighs. The adjoint
// is c − p · Σ c, whose own sum is 0. What is left where one p is near 1 would be rounding errors: so all are
// taken from the c of a p above ½, and the adjoint there is what the others lack.
struct LessMean final : OpOf<LessMean> {
  static constexpr std::string_view name = "less_mean";
  LessMean(std::int64_t along, bool transposed) : axis(along), adjoint(transposed) {}
  auto attributes() const { return std::tuple(attribute("axis", axis), attribute("adjoint", adjoint)); }
  OnnxSpelling onnx(InputShapes) const {
    if (adjoint)
      return {{"ReduceSum", {OnnxInput{0}, Shape{axis}}},
              {"Mul", {OnnxResult{0}, OnnxInput{1}}},
              {"Sub", {OnnxInput{0}, OnnxResult{1}}}};
    return {{"Mul", {OnnxInput{0}, OnnxInput{1}}},
            {"ReduceSum", {OnnxResult{0}, Shape{axis}}},
            {"Sub", {OnnxInput{0}, OnnxResult{1}}}};
  }
  Shape infer(InputShapes inputs) const { return inputs[0]; }

  std::vector<Expr> vjp(const Vjp& v) const override {
    const Expr &c = v.inputs[0], &p = v.inputs[1], &w = v.cotangent;
    const auto total = [&](const Expr& x) { return broadcast_to(sum(x, {axis}, true), x.shape()); };
    return {v.wanted[0] ? build<LessMean>({w, p}, axis, !adjoint) : Expr(),
            v.wanted[1] ? -(adjoint ? weighted_both(w, total(c)) : weighted_both(total(w), c)) : Expr()};
  }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    return [lines = Lines(shapes.inputs[0], axis),
            from = adjoint ? &less_share<T> : &less_mean<T>](const KernelArgs<T>& args) {
      lines.each([&](std::int64_t, std::int64_t start) {
        from(args.input(0) + start, args.input(1) + start, args.output() + start, lines.n, lines.stride);
      });
    };
  }
  // The place at which p is above ½; n if there is none.
  template <class T> static std::int64_t major(const T* p, std::int64_t n, std::int64_t stride) {
    std::int64_t i = 0;
    while (i < n && !(p[i * stride] > T(0.5))) ++i;
    return i;
  }
  template <class T>
  static void less_mean(const T* c, const T* p, T* y, std::int64_t n, std::int64_t stride) {
    const std::int64_t most = major(p, n, stride);
    const T pivot = most < n ? c[most * stride] : T(0);
    const T mean =
        tree_sum<T>(n, [=](std::int64_t i) { return math::weighted(c[i * stride] - pivot, p[i * stride]); });
    for (std::int64_t i = 0; i < n; ++i) y[i * stride] = c[i * stride] - pivot - mean;
  }
  template <class T>
  static void less_share(const T* c, const T* p, T* y, std::int64_t n, std::int64_t stride) {
    const T total = tree_sum<T>(n, [=](std::int64_t i) { return c[i * stride]; });
    for (std::int64_t i = 0; i < n; ++i) y[i * stride] = c[i * stride] - math::weighted(total, p[i * stride]);
    const std::int64_t most = major(p, n, stride);
    if (most == n) return;
    y[most * stride] = 0;
    y[most * stride] = -tree_sum<T>(n, [=](std::int64_t i) { return y[i * stride]; });
  }

  std::int64_t axis;  // not negative
  bool adjoint;
};

struct LogSumExp final : AlongAxis<LogSumExp> {
  static constexpr std::string_view name = "logsumexp";
  static constexpr bool keeps_axis = false;
  using AlongAxis::AlongAxis;
  OnnxSpelling onnx(InputShapes) const {
    return {{"ReduceLogSumExp", {OnnxInput{0}}, {{"axes", Axes{axis}}, {"keepdims", std::int64_t{0}}}}};
  }
  std::vector<Expr> vjp(const Vjp& v) const override {
    Shape kept = v.inputs[0].shape();
    kept[static_cast<std::size_t>(axis)] = 1;
    return {weighted(reshape(v.cotangent, kept), softmax(v.inputs[0], axis))};
  }
  template <class T>
  static void line(const T* x, T* y, std::int64_t n, std::int64_t stride, std::int64_t peak) {
    const T largest = x[peak * stride];
    *y = std::isinf(largest) ? largest : largest + log_sum_exp(x, n, stride, peak);
  }
};

struct LogSoftmax final : AlongAxis<LogSoftmax> {
  static constexpr std::string_view name = "log_softmax";
  using AlongAxis::AlongAxis;
  OnnxSpelling onnx(InputShapes) const { return {{"LogSoftmax", {OnnxInput{0}}, {{"axis", axis}}}}; }
  std::vector<Expr> vjp(const Vjp& v) const override {
    return {build<LessMean>({v.cotangent, exp(v.output)}, axis, true)};
  }
  template <class T>
  static void line(const T* x, T* y, std::int64_t n, std::int64_t stride, std::int64_t peak) {
    const T log_sum = log_sum_exp(x, n, stride, peak);
    for (std::int64_t i = 0; i < n; ++i) y[i * stride] = below_peak(x, i, stride, peak) - log_sum;
  }
};

struct Softmax final : AlongAxis<Softmax> {
  static constexpr std::string_view name = "softmax";
  using AlongAxis::AlongAxis;
  OnnxSpelling onnx(InputShapes) const { return {{"Softmax", {OnnxInput{0}}, {{"axis", axis}}}}; }
  std::vector<Expr> vjp(const Vjp& v) const override {
    return {weighted(build<LessMean>({v.cotangent, v.output}, axis, false), v.output)};
  }
  template <class T>
  static void line(const T* x, T* y, std::int64_t n, std::int64_t stride, std::int64_t peak) {
    const T sum = tree_sum<T>(
        n, [=](std::int64_t i) { return y[i * stride] = std::exp(below_peak(x, i, stride, peak)); });
    for (std::int64_t i = 0; i < n; ++i) y[i * stride] /= sum;
  }
};

template <class ConcreteOp> Expr along_axis(const Arg& x, std::int64_t axis) {
  return build<ConcreteOp>({x}, axis_of(ConcreteOp::name, x, axis));
}

}  // namespace

Expr logsumexp(Arg x, std::int64_t axis) { return along_axis<LogSumExp>(x, axis); }
Expr log_softmax(Arg x, std::int64_t axis) { return along_axis<LogSoftmax>(x, axis); }
Expr softmax(Arg x, std::int64_t axis) { return along_axis<Softmax>(x, axis); }

}  // namespace gradus
