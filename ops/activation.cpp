#include "gradus/ops/activation.hpp"

#include <cmath>

#include "framework/autodiff/add.hpp"
#include "gradus/ops/comparison.hpp"
#include "gradus/ops/exponential.hpp"
#include "gradus/ops/rules.hpp"
#include "gradus/ops/where.hpp"
#include "ops/onnx_exponential.hpp"

namespace gradus {

namespace {

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using math::where, math::sigmoid, math::weighted, std::tanh, std::abs, std::exp, std::log1p, std::expm1;

struct Relu final : Unary<Relu> {
  static constexpr std::string_view name = "relu", onnx = "Relu";
  // Keeps NaN.
  template <class T> static T f(T x) { return where(x < T(0), T(0), x); }
  // Taken from the output, so that the input need not be kept.
  template <class T> static T d(T, T y) { return y > 0; }
};

struct LeakyRelu final : Unary<LeakyRelu> {
  static constexpr std::string_view name = "leaky_relu";
  explicit LeakyRelu(double s) : slope(s) {}
  auto attributes() const { return std::tuple(attribute("slope", slope)); }
  // ONNX Runtime has LeakyRelu for float alone.
  OnnxSpelling onnx(InputShapes) const {
    return {{"Greater", {OnnxInput{0}, 0.0}},
            {"Mul", {OnnxInput{0}, slope}},
            {"Where", {OnnxResult{0}, OnnxInput{0}, OnnxResult{1}}}};
  }
  template <class T> T f(T x) const { return where(x > T(0), x, T(slope) * x); }
  template <class T> T d(T x, T) const { return where(x > 0, 1, T(slope)); }

  double slope;
};

// The cotangent times the derivative, from y = sigmoid(x): in one op, as it is in every step of training.
struct SigmoidGrad final : CompositeOp<SigmoidGrad, 2> {
  static constexpr std::string_view name = "sigmoid_grad";
  template <class T> static T f(T dy, T y) { return weighted(dy, y * (1 - y)); }
  static OnnxSpelling onnx(InputShapes) {
    return {{"Sub", {1.0, OnnxInput{1}}},
            {"Mul", {OnnxInput{1}, OnnxResult{0}}},
            {"Mul", {OnnxInput{0}, OnnxResult{1}}}};
  }
};

// The sigmoid of a sum, such as of a product and its bias.
struct SigmoidOfSum final : CompositeOp<SigmoidOfSum, 2> {
  static constexpr std::string_view name = "sigmoid_of_sum";
  template <class T> static T f(T a, T b) { return sigmoid(a + b); }
  static OnnxSpelling onnx(InputShapes) {
    return {{"Add", {OnnxInput{0}, OnnxInput{1}}}, {"Sigmoid", {OnnxResult{0}}}};
  }
};

struct Sigmoid final : Unary<Sigmoid> {
  static constexpr std::string_view name = "sigmoid", onnx = "Sigmoid";
  template <class T> static T f(T x) { return sigmoid(x); }
  using Grad = SigmoidGrad;
  Expr canonicalize(std::span<const Expr> inputs) const override {
    if (op_as<Add>(inputs[0]) == nullptr) return {};
    Graph& graph = inputs[0].graph();
    const auto& summands = graph[inputs[0].id()].inputs;
    return build<SigmoidOfSum>({graph.expr(summands[0]), graph.expr(summands[1])});
  }
};

struct TanhGrad final : CompositeOp<TanhGrad, 2> {
  static constexpr std::string_view name = "tanh_grad";
  template <class T> static T f(T dy, T y) { return weighted(dy, 1 - y * y); }
  static OnnxSpelling onnx(InputShapes) {
    return {{"Mul", {OnnxInput{1}, OnnxInput{1}}},
            {"Sub", {1.0, OnnxResult{0}}},
            {"Mul", {OnnxInput{0}, OnnxResult{1}}}};
  }
};

struct Tanh final : Unary<Tanh> {
  static constexpr std::string_view name = "tanh", onnx = "Tanh";
  template <class T> static T f(T x) { return tanh(x); }
  using Grad = TanhGrad;
};

struct Elu final : Unary<Elu> {
  static constexpr std::string_view name = "elu";
  explicit Elu(double scale) : alpha(scale) {}
  auto attributes() const { return std::tuple(attribute("alpha", alpha)); }
  // ONNX Runtime has Elu for float alone.
  OnnxSpelling onnx(InputShapes) const {
    OnnxSpelling steps = expm1_in_onnx();
    const std::size_t rest = steps.size() - 1;
    steps.insert(steps.end(), {{"Mul", {OnnxResult{rest}, alpha}},
                               {"Greater", {OnnxInput{0}, 0.0}},
                               {"Where", {OnnxResult{rest + 2}, OnnxInput{0}, OnnxResult{rest + 1}}}});
    return steps;
  }
  template <class T> T f(T x) const { return where(x > T(0), x, T(alpha) * expm1(x)); }
  // y + α would lose its digits where y is near −α.
  template <class T> T d(T x, T) const { return where(x > 0, 1, alpha * exp(x)); }

  double alpha;
};

struct Softplus final : Unary<Softplus> {
  static constexpr std::string_view name = "softplus";
  // ONNX Runtime has Softplus for float alone.
  static OnnxSpelling onnx(InputShapes) {
    OnnxSpelling steps = log1p_of_exp_in_onnx();
    const std::size_t rest = steps.size() - 1;
    steps.insert(steps.end(), {{"Relu", {OnnxInput{0}}}, {"Add", {OnnxResult{rest + 1}, OnnxResult{rest}}}});
    return steps;
  }
  // max(x, 0) + log1p(e^−|x|) neither overflows nor loses the small values.
  template <class T> static T f(T x) { return where(x < T(0), T(0), x) + log1p(exp(-abs(x))); }
  template <class T> static T d(T x, T) { return sigmoid(x); }
};

}  // namespace

Expr relu(Arg x) { return build<Relu>({x}); }
// 0 · −∞ would be NaN.
Expr leaky_relu(Arg x, double slope) { return slope == 0 ? relu(x) : build<LeakyRelu>({x}, slope); }
Expr sigmoid(Arg x) { return build<Sigmoid>({x}); }
Expr sigmoid_of_sum(Arg a, Arg b) { return build<SigmoidOfSum>({a, b}); }

Expr tanh(Arg x) { return build<Tanh>({x}); }
Expr sigmoid_grad(Arg dy, Arg y) { return build<SigmoidGrad>({dy, y}); }
Expr tanh_grad(Arg dy, Arg y) { return build<TanhGrad>({dy, y}); }
Expr elu(Arg x, double alpha) { return build<Elu>({x}, alpha); }
Expr softplus(Arg x) { return build<Softplus>({x}); }

}  // namespace gradus
