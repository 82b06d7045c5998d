#include "gradus/ops/softmax.hpp"

#include <cmath>

#include "gradus/ops/exponential.hpp"
#include "gradus/ops/reduction.hpp"
#include "gradus/ops/rules.hpp"
#include "gradus/ops/view.hpp"
#include "ops/kernels/tree.hpp"

namespace gradus {

namespace {

// The three ops below work on lines of `n` numbers, `stride` apart. `Derived` supplies
// `line(x, y, n, stride, shift)`, where no exponential of x - shift overflows.
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
    const std::span<const std::int64_t> from(shapes.inputs[0]);
    const auto along = static_cast<std::size_t>(axis);
    const std::int64_t outer = element_count(from.first(along)), n = from[along],
                       stride = element_count(from.subspan(along + 1));
    const std::int64_t advance = Derived::keeps_axis ? n * stride : stride;
    return [=](const KernelArgs<T>& args) {
      for (std::int64_t i = 0; i < outer; ++i)
        for (std::int64_t j = 0; j < stride; ++j) {
          const T* x = args.input() + i * n * stride + j;
          Derived::line(x, args.output() + i * advance + j, n, stride, shift(x, n, stride));
        }
    };
  }

  // The largest, but 0 where that is not finite: a line of -∞ alone must not become NaN by -∞ - -∞.
  template <class T> static T shift(const T* x, std::int64_t n, std::int64_t stride) {
    T largest = x[0];
    for (std::int64_t i = 1; i < n; ++i)
      largest = largest >= x[i * stride] || std::isnan(largest) ? largest : x[i * stride];
    return std::isfinite(largest) ? largest : T(0);
  }
  // log Σ e^(x − shift). The largest entry adds 1: log1p of what the others add keeps the digits of small
  // ones.
  template <class T> static T log_sum_exp(const T* x, std::int64_t n, std::int64_t stride, T shift) {
    std::int64_t largest = 0;
    while (largest < n && x[largest * stride] != shift) ++largest;
    const T others =
        tree_sum<T>(n, [=](std::int64_t i) { return i == largest ? T(0) : std::exp(x[i * stride] - shift); });
    return largest < n ? std::log1p(others) : std::log(others);
  }

  std::int64_t axis;  // not negative
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
  template <class T> static void line(const T* x, T* y, std::int64_t n, std::int64_t stride, T shift) {
    *y = shift + log_sum_exp(x, n, stride, shift);
  }
};

struct LogSoftmax final : AlongAxis<LogSoftmax> {
  static constexpr std::string_view name = "log_softmax";
  using AlongAxis::AlongAxis;
  OnnxSpelling onnx(InputShapes) const { return {{"LogSoftmax", {OnnxInput{0}}, {{"axis", axis}}}}; }
  std::vector<Expr> vjp(const Vjp& v) const override {
    return {v.cotangent - weighted(sum(v.cotangent, {axis}, true), exp(v.output))};
  }
  template <class T> static void line(const T* x, T* y, std::int64_t n, std::int64_t stride, T shift) {
    const T log_sum = log_sum_exp(x, n, stride, shift);
    for (std::int64_t i = 0; i < n; ++i) y[i * stride] = (x[i * stride] - shift) - log_sum;
  }
};

struct Softmax final : AlongAxis<Softmax> {
  static constexpr std::string_view name = "softmax";
  using AlongAxis::AlongAxis;
  OnnxSpelling onnx(InputShapes) const { return {{"Softmax", {OnnxInput{0}}, {{"axis", axis}}}}; }
  std::vector<Expr> vjp(const Vjp& v) const override {
    return {weighted(v.cotangent - sum(weighted(v.cotangent, v.output), {axis}, true), v.output)};
  }
  template <class T> static void line(const T* x, T* y, std::int64_t n, std::int64_t stride, T shift) {
    const T sum =
        tree_sum<T>(n, [=](std::int64_t i) { return y[i * stride] = std::exp(x[i * stride] - shift); });
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
