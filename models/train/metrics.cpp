#include "gradus/train/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "gradus/graph/graph.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/comparison.hpp"
#include "gradus/ops/extremum.hpp"
#include "gradus/ops/losses.hpp"
#include "gradus/ops/reduction.hpp"
#include "gradus/ops/where.hpp"

namespace gradus {

namespace {

// All nodes of a metric carry the place of its call.
Graph::Scope metric_scope(std::string_view metric, const Arg& prediction, const Arg& target) {
  const Arg operands[] = {prediction, target};
  return {graph_of(metric, operands), prediction.where};
}

// 1 at each row's class, of predictions for more than one.
Expr classes_of(std::string_view metric, const Arg& prediction, const Arg& target) {
  const Arg operands[] = {prediction, target};
  common_graph_of(metric, operands);
  const Shape &wanted = prediction.expr.shape(), &given = target.expr.shape();
  if (wanted.rank() == 0 || !wanted.back().is_constant())
    fail(metric, {&prediction, 1}, "the last axis must be the classes");
  if (wanted.back() == 1)
    fail(metric, {&prediction, 1},
         "there is one class, so that all answers would be right; take binary_accuracy");
  if (given == wanted) return target.expr;
  if (given.rank() + 1 == wanted.rank() && std::equal(given.begin(), given.end(), wanted.begin()))
    return one_hot(target.expr, wanted.back().constant());
  fail(metric, operands, "targets must have the predictions' shape (one-hot) or lack the last axis");
}

// How many predictions of each row are not below this one: it, equal ones and NaN among them.
Expr not_below(const Expr& y, const Expr& one) { return sum(1 - (y < one), {-1}); }

}  // namespace

Metric accuracy() {
  static constexpr std::string_view name = "accuracy";
  return {std::string(name), [](Arg prediction, Arg target) {
            const Graph::Scope scope = metric_scope(name, prediction, target);
            const Expr classes = classes_of(name, prediction, target);
            const Expr& y = prediction.expr;
            const Expr largest = max(y, {-1}, true);
            return mean(sum(classes * (y >= largest), {-1}) * equal(not_below(y, largest), 1));
          }};
}

Metric top_k_accuracy(int k, Location where) {
  static constexpr std::string_view name = "top_k_accuracy";
  if (k < 1) throw Error(fmt::format("{} at {}: k is {}; it must be at least 1", name, to_string(where), k));
  return {fmt::format("top_{}_accuracy", k), [k](Arg prediction, Arg target) {
            const Graph::Scope scope = metric_scope(name, prediction, target);
            const Expr classes = classes_of(name, prediction, target);
            const Expr& y = prediction.expr;
            const Expr own = sum(gradus::where(classes, y, 0), {-1}, true);
            return mean(not_below(y, own) <= k);
          }};
}

Metric binary_accuracy(double threshold, Location where) {
  if (std::isnan(threshold))
    throw Error(fmt::format("binary_accuracy at {}: the threshold is {}; it must be a number",
                            to_string(where), threshold));
  return {"binary_accuracy", [threshold](Arg prediction, Arg target) {
            const Graph::Scope scope = metric_scope("binary_accuracy", prediction, target);
            detail::check_same_shape("binary_accuracy", prediction, target);
            const Expr &y = prediction.expr, above = y > threshold;
            // A NaN is neither above nor not: no answer, and so no right one.
            return mean(equal(above, target.expr) * (above + (y <= threshold)));
          }};
}

Metric mean_absolute_error() {
  return {"mean_absolute_error", [](Arg prediction, Arg target) {
            const Graph::Scope scope = metric_scope("mean_absolute_error", prediction, target);
            detail::check_same_shape("mean_absolute_error", prediction, target);
            return mean(abs(prediction.expr - target.expr));
          }};
}

Metric mean_squared_error() {
  return {"mean_squared_error", [](Arg prediction, Arg target) { return mse(prediction, target); }};
}

}  // namespace gradus
