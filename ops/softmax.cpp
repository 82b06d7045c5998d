#include "gradus/ops/softmax.hpp"

#include <cmath>

#include "gradus/ops/exponential.hpp"
#include "gradus/ops/reduction.hpp"
#include "gradus/ops/rules.hpp"
#include "gradus/ops/view.hpp"

namespace gradus {

namespace {

// The three ops below work on lines of `n` numbers, `stride` apart, shifted by their largest so that
// no exponential overflows. `Derived` supplies `line(x, y, n, stride)`.
template <class Derived> class AlongAxis : public OpOf<Derived> {
 public:
  explicit AlongAxis(std::int64_t along) : axis(along) {}
  auto attributes() const { return std::tuple(attribute("axis", axis)); }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const std::span<const std::int64_t> from(shapes.inputs[0]);
    const auto along = static_cast<std::size_t>(axis);
    const std::int64_t outer = element_count(from.first(along)), n = from[along],
                       stride = element_count(from.subspan(along + 1));
    const std::int64_t advance = Derived::keeps_axis ? n * stride : stride;
    return [=](const KernelArgs<T>& args) {
      for (std::int64_t i = 0; i < outer; ++i)
        for (std::int64_t j = 0; j < stride; ++j)
          Derived::line(args.input() + i * n * stride + j, args.output() + i * advance + j, n, stride);
    };
  }

  std::int64_t axis;  // not negative

 protected:
  template <class T> static T largest(const T* x, std::int64_t n, std::int64_t stride) {
    T most = x[0];
    for (std::int64_t i = 1; i < n; ++i)
      most = most >= x[i * stride] || std::isnan(most) ? most : x[i * stride];  // NaN wins
    return most;
  }
  // A line of -∞ alone must not become NaN by -∞ - -∞.
  template <class T> static T shift(T largest) { return std::isfinite(largest) ? largest : T(0); }
  template <class T> static T sum_exp(const T* x, T shift, std::int64_t n, std::int64_t stride) {
    T sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += std::exp(x[i * stride] - shift);
    return sum;
  }
  static Expr keep(const Expr& reduced, const Shape& shape, std::int64_t axis) {
    Shape kept = shape;
    kept[static_cast<std::size_t>(axis)] = 1;
    return reshape(reduced, kept);
  }
};

class LogSumExp final : public AlongAxis<LogSumExp> {
 public:
  static constexpr std::string_view name = "logsumexp";
  static constexpr bool keeps_axis = false;
  using AlongAxis::AlongAxis;
  OnnxSpelling onnx(InputShapes) const {
    return {{"ReduceLogSumExp",
             {OnnxInput{0}},
             {{"axes", std::vector<std::int64_t>{axis}}, {"keepdims", std::int64_t{0}}}}};
  }
  Shape infer(InputShapes inputs) const {
    Shape kept;
    for (std::size_t i = 0; i < inputs[0].rank(); ++i)
      if (i != static_cast<std::size_t>(axis)) kept.push_back(inputs[0][i]);
    return kept;
  }
  std::vector<Expr> vjp(const Vjp& v) const override {
    return {keep(v.cotangent, v.inputs[0].shape(), axis) * softmax(v.inputs[0], axis)};
  }
  template <class T> static void line(const T* x, T* y, std::int64_t n, std::int64_t stride) {
    const T by = shift(largest(x, n, stride));
    *y = by + std::log(sum_exp(x, by, n, stride));
  }
};

class LogSoftmax final : public AlongAxis<LogSoftmax> {
 public:
  static constexpr std::string_view name = "log_softmax";
  static constexpr bool keeps_axis = true;
  using AlongAxis::AlongAxis;
  OnnxSpelling onnx(InputShapes) const { return {{"LogSoftmax", {OnnxInput{0}}, {{"axis", axis}}}}; }
  Shape infer(InputShapes inputs) const { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp& v) const override {
    return {v.cotangent - exp(v.output) * sum(v.cotangent, {axis}, true)};
  }
  template <class T> static void line(const T* x, T* y, std::int64_t n, std::int64_t stride) {
    const T by = shift(largest(x, n, stride));
    const T log_sum = std::log(sum_exp(x, by, n, stride));
    for (std::int64_t i = 0; i < n; ++i) y[i * stride] = (x[i * stride] - by) - log_sum;
  }
};

class Softmax final : public AlongAxis<Softmax> {
 public:
  static constexpr std::string_view name = "softmax";
  static constexpr bool keeps_axis = true;
  using AlongAxis::AlongAxis;
  OnnxSpelling onnx(InputShapes) const { return {{"Softmax", {OnnxInput{0}}, {{"axis", axis}}}}; }
  Shape infer(InputShapes inputs) const { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp& v) const override {
    return {v.output * (v.cotangent - sum(v.cotangent * v.output, {axis}, true))};
  }
  template <class T> static void line(const T* x, T* y, std::int64_t n, std::int64_t stride) {
    const T by = shift(largest(x, n, stride));
    T sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += y[i * stride] = std::exp(x[i * stride] - by);
    for (std::int64_t i = 0; i < n; ++i) y[i * stride] /= sum;
  }
};

}  // namespace

Expr logsumexp(Arg x, std::int64_t axis) { return build<LogSumExp>({x}, axis_of(LogSumExp::name, x, axis)); }

Expr log_softmax(Arg x, std::int64_t axis) {
  return build<LogSoftmax>({x}, axis_of(LogSoftmax::name, x, axis));
}

Expr softmax(Arg x, std::int64_t axis) { return build<Softmax>({x}, axis_of(Softmax::name, x, axis)); }

}  // namespace gradus
