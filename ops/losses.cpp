#include "gradus/ops/losses.hpp"

#include <cmath>

#include "gradus/ops/activation.hpp"
#include "gradus/ops/comparison.hpp"
#include "gradus/ops/power.hpp"
#include "gradus/ops/rules.hpp"
#include "gradus/ops/softmax.hpp"
#include "gradus/ops/where.hpp"
#include "ops/onnx_exponential.hpp"

namespace gradus {

namespace {

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using math::where, math::sigmoid, math::weighted, std::abs, std::exp, std::log1p;

// σ(x) − t without cancellation where both are near 1.
struct SigmoidMinus final : Binary<SigmoidMinus> {
  static constexpr std::string_view name = "sigmoid_minus";
  static OnnxSpelling onnx(InputShapes) {
    return {{"Abs", {OnnxInput{0}}},
            {"Exp", {OnnxResult{0}}},  // ONNX Runtime's Sigmoid is right to 1e-7 of 1 alone.
            {"Add", {OnnxResult{1}, 1.0}},
            {"Div", {1.0, OnnxResult{2}}},
            {"Sub", {1.0, OnnxInput{1}}},
            {"Sub", {OnnxResult{4}, OnnxResult{3}}},
            {"Sub", {OnnxResult{3}, OnnxInput{1}}},
            {"Greater", {OnnxInput{0}, 0.0}},
            {"Where", {OnnxResult{7}, OnnxResult{5}, OnnxResult{6}}}};
  }
  template <class T> static T f(T x, T t) {
    const T rest = sigmoid(-abs(x));
    return where(x > T(0), (T(1) - t) - rest, rest - t);
  }
  template <class T> static T da(T x, T, T) { return sigmoid(x) * sigmoid(-x); }
  template <class T> static T db(T, T, T) { return -1; }
};

struct LogisticLoss final : Binary<LogisticLoss> {
  static constexpr std::string_view name = "logistic_loss";
  static OnnxSpelling onnx(InputShapes) {
    OnnxSpelling steps = log1p_of_exp_in_onnx();
    const OnnxResult rest{steps.size() - 1};
    steps.insert(steps.end(), {{"Sub", {1.0, OnnxInput{1}}},
                               {"Neg", {OnnxInput{1}}},
                               {"Greater", {OnnxInput{0}, 0.0}},
                               {"Where", {after(rest, 3), after(rest, 1), after(rest, 2)}},
                               {"Mul", {after(rest, 4), OnnxInput{0}}},
                               {"Equal", {after(rest, 4), 0.0}},
                               {"Where", {after(rest, 6), 0.0, after(rest, 5)}},
                               {"Add", {after(rest, 7), rest}}});
    return steps;
  }
  static OnnxResult after(OnnxResult step, std::size_t count) { return {step.step + count}; }
  // The larger part is nothing but the target's distance from the sign of x, times x: 0 for the right sign.
  template <class T> static T f(T x, T t) {
    return weighted(where(x > T(0), T(1) - t, -t), x) + log1p(exp(-abs(x)));
  }
  template <class T> static T da(T x, T t, T) { return sigmoid_minus(x, t); }
  template <class T> static T db(T x, T, T) { return -x; }
};

// All nodes of a loss carry the place of its call.
Graph::Scope scope_of(std::string_view loss, std::initializer_list<Arg> operands) {
  return {graph_of(loss, {operands.begin(), operands.size()}), operands.begin()->where};
}

}  // namespace

void detail::check_same_shape(std::string_view what, const Arg& prediction, const Arg& target) {
  const Expr &y = prediction.expr, &t = target.expr;
  if (!y.is_node() || !t.is_node() || y.shape() == t.shape()) return;
  const Arg operands[] = {prediction, target};
  fail(what, operands, "the prediction and the target must have the same shape; reshape one of them");
}

Expr sigmoid_minus(Arg x, Arg target) { return build<SigmoidMinus>({x, target}); }

Expr logistic_loss(Arg logits, Arg target) {
  detail::check_same_shape("logistic_loss", logits, target);
  return build<LogisticLoss>({logits, target});
}

Expr mse(Arg prediction, Arg target) {
  const Graph::Scope scope = scope_of("mse", {prediction, target});
  detail::check_same_shape("mse", prediction, target);
  return mean(square(prediction.expr - target.expr));
}

Expr half_squared_error(Arg prediction, Arg target) {
  const Graph::Scope scope = scope_of("half_squared_error", {prediction, target});
  detail::check_same_shape("half_squared_error", prediction, target);
  return 0.5 * sum(square(prediction.expr - target.expr));
}

Expr cross_entropy(Arg logits, Arg target) {
  const Arg operands[] = {logits, target};
  if (!logits.expr.is_node() || !target.expr.is_node())
    fail("cross_entropy", operands,
         "the logits and the target must be nodes of a graph: a number has no classes");
  const Graph::Scope scope = scope_of("cross_entropy", {logits, target});
  const Shape& shape = logits.expr.shape();
  if (shape.rank() == 0 || !shape.back().is_constant())
    fail("cross_entropy", operands, "the last axis of the logits must be the classes");
  if (shape.back() == 1)
    fail("cross_entropy", operands, "of one class the loss is always 0; take binary_cross_entropy");
  const Expr& weights = target.expr;
  if (weights.shape() == shape) return -mean(sum(weighted(weights, log_softmax(logits.expr)), {-1}));
  Shape rows = weights.shape();
  rows.push_back(shape.back());
  if (rows != shape)
    fail("cross_entropy", operands,
         "targets must have the logits' shape (one-hot) or lack the last axis (class indices)");
  // Chosen, not multiplied: a class that a logit of -∞ rules out must not add 0 · -∞ to the others' loss.
  const Expr label = one_hot(weights, shape.back().constant());
  return -mean(sum(where(label, log_softmax(logits.expr), 0), {-1}));
}

Expr binary_cross_entropy(Arg logits, Arg target) {
  const Graph::Scope scope = scope_of("binary_cross_entropy", {logits, target});
  detail::check_same_shape("binary_cross_entropy", logits, target);
  return mean(logistic_loss(logits, target));
}

}  // namespace gradus
