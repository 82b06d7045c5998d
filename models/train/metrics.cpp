#include "gradus/train/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
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

// 1 at each row's class.
Expr classes_of(std::string_view metric, const Arg& prediction, const Arg& target) {
  const Arg operands[] = {prediction, target};
  common_graph_of(metric, operands);
  const Shape &wanted = prediction.expr.shape(), &given = target.expr.shape();
  if (given == wanted) return target.expr;
  if (given.rank() + 1 == wanted.rank() && std::equal(given.begin(), given.end(), wanted.begin()) &&
      wanted.back().is_constant())
    return one_hot(target.expr, wanted.back().constant());
  fail(metric, operands, "targets must have the predictions' shape (one-hot) or lack the last axis");
}

// Along the classes, from their number down to 1: of equal predictions, the one of the largest rank counts.
Expr ranks_of(std::string_view metric, const Arg& prediction) {
  const Shape& shape = prediction.expr.shape();
  if (shape.rank() == 0 || !shape.back().is_constant())
    fail(metric, {&prediction, 1}, "the last axis must be the classes");
  const std::int64_t count = shape.back().constant();
  if (count == 1)
    fail(metric, {&prediction, 1},
         "there is one class, so that all answers would be right; take binary_accuracy");
  std::vector<double> ranks(static_cast<std::size_t>(count));
  std::iota(ranks.rbegin(), ranks.rend(), 1.0);
  const Expr row = prediction.expr.graph().constant({count}, std::move(ranks), prediction.where);
  return broadcast_to(row, shape);
}

}  // namespace

Metric accuracy() {
  static constexpr std::string_view name = "accuracy";
  return {std::string(name), [](Arg prediction, Arg target) {
            const Graph::Scope scope = metric_scope(name, prediction, target);
            const Expr classes = classes_of(name, prediction, target), rank = ranks_of(name, prediction);
            const Expr hit = prediction.expr >= max(prediction.expr, {-1}, true);
            const Expr first = max(where(hit, rank, 0), {-1}, true);
            return mean(sum(classes * equal(rank, first), {-1}));
          }};
}

Metric top_k_accuracy(int k, Location where) {
  static constexpr std::string_view name = "top_k_accuracy";
  if (k < 1) throw Error(fmt::format("{} at {}: k is {}; it must be at least 1", name, to_string(where), k));
  return {fmt::format("top_{}_accuracy", k), [k](Arg prediction, Arg target) {
            const Graph::Scope scope = metric_scope(name, prediction, target);
            const Expr& y = prediction.expr;
            const Expr classes = classes_of(name, prediction, target), rank = ranks_of(name, prediction);
            const Expr own = sum(gradus::where(classes, y, 0), {-1}, true);
            const Expr own_rank = sum(gradus::where(classes, rank, 0), {-1}, true);
            // Those that come before it, a NaN among them, which is not at most `own`.
            const Expr before = 1 - (y <= own) + equal(y, own) * (rank > own_rank);
            return mean(sum(before, {-1}) < k);
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
