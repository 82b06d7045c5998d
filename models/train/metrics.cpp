#include "gradus/train/metrics.hpp"

#include <fmt/format.h>

#include "gradus/graph/graph.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/comparison.hpp"
#include "gradus/ops/extremum.hpp"
#include "gradus/ops/losses.hpp"
#include "gradus/ops/where.hpp"

namespace gradus {

namespace {

// 1 at each row's class.
Expr classes_of(const Arg& prediction, const Arg& target) {
  const Shape &wanted = prediction.expr.shape(), &given = target.expr.shape();
  if (given == wanted) return target.expr;
  if (given.rank() + 1 == wanted.rank() && wanted.back().is_constant())
    return one_hot(target.expr, wanted.back().constant());
  const Arg operands[] = {prediction, target};
  fail("accuracy", operands, "targets must have the predictions' shape (one-hot) or lack the last axis");
}

}  // namespace

Metric accuracy() {
  return {"accuracy", [](Arg prediction, Arg target) {
            const Expr hit = prediction.expr >= max(prediction.expr, {-1}, true);
            return mean(sum(classes_of(prediction, target) * hit, {-1}));
          }};
}

Metric top_k_accuracy(int k) {
  if (k < 1) throw Error(fmt::format("top_k_accuracy: k is {}; it must be at least 1", k));
  return {fmt::format("top_{}_accuracy", k), [k](Arg prediction, Arg target) {
            const Expr& y = prediction.expr;
            const Expr own = sum(where(classes_of(prediction, target), y, 0), {-1}, true);
            return mean(sum(1 - (y <= own), {-1}) < k);  // so that NaN is wrong
          }};
}

Metric binary_accuracy(double threshold) {
  return {"binary_accuracy", [threshold](Arg prediction, Arg target) {
            detail::check_same_shape("binary_accuracy", prediction, target);
            return mean(equal(prediction.expr > threshold, target.expr));
          }};
}

Metric mean_absolute_error() {
  return {"mean_absolute_error", [](Arg prediction, Arg target) {
            detail::check_same_shape("mean_absolute_error", prediction, target);
            return mean(abs(prediction.expr - target.expr));
          }};
}

Metric mean_squared_error() {
  return {"mean_squared_error", [](Arg prediction, Arg target) { return mse(prediction, target); }};
}

}  // namespace gradus
