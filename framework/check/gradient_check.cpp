#include "gradus/check/gradient_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/check/gradient_jacobian.hpp"
#include "framework/check/gradient_properties.hpp"
#include "framework/check/gradient_suspects.hpp"
#include "framework/check/gradient_system.hpp"
#include "framework/check/gradient_verdict.hpp"
#include "framework/compile/extract.hpp"
#include "gradus/base/random.hpp"
#include "gradus/inspect/nan_trace.hpp"

namespace gradus {

namespace {

void tell(const GradientCheckOptions& options, const CheckProgress& progress) {
  if (options.progress != nullptr) (*options.progress)(progress);
}

}  // namespace

GradientReport check_gradient(const Expr& expr, std::span<const Expr> wrt, const Point& point,
                              std::int64_t batch, const GradientCheckOptions& options) {
  GradientReport report;
  if (wrt.empty()) {
    report.properties.push_back({"gradient path", false, "no gradient reaches any leaf"});
    return report;
  }
  const GradientSystem first({expr}, {wrt.begin(), wrt.end()}, point, batch);
  if (const auto trace = trace_nan({&expr, 1}, point, batch)) {
    report.properties.push_back({"finite", false, trace->text});
    return report;
  }
  Point at = point;
  std::vector<Expr> gradients;
  report.tensors = check_jacobian(first, options, 1);
  if (options.order >= 2) {
    gradients = pulled_back(expr, wrt, batch, options.seed, at);
    const GradientSystem second(gradients, {wrt.begin(), wrt.end()}, at, batch);
    std::ranges::move(check_jacobian(second, options, 2), std::back_inserter(report.tensors));
  }
  if (options.properties) {
    tell(options, {"properties", 0, 1});
    report.properties = check_properties(expr, wrt, point, batch, options, report.ok());
  }
  if (!report.ok()) report.suspects = find_suspects(expr, gradients, at, batch, options);
  return report;
}

GradientReport check_gradient(const Expr& expr, const Point& point, std::int64_t batch,
                              const GradientCheckOptions& options) {
  const std::vector<Expr> reached = gradient_leaves(expr);
  GradientReport report = check_gradient(expr, reached, point, batch, options);
  const auto forgotten = forgotten_leaves(expr, reached, point, batch, options);
  if (!options.properties || forgotten.ok) return report;
  if (reached.empty()) report.properties.clear();
  report.properties.push_back(forgotten);
  if (report.suspects.empty()) report.suspects = find_suspects(expr, {}, point, batch, options);
  return report;
}

namespace {

// A function of claimed tensors, and the gradient that is claimed for it.
class ClaimedSystem final : public CheckedFunction {
 public:
  ClaimedSystem(const ScalarFunction& function, const std::vector<ClaimedGradient>& claimed,
                std::vector<Extents> shapes)
      : function_(function), claimed_(claimed) {
    extents = std::move(shapes);
    for (const auto& tensor : claimed) {
      if (tensor.values.size() != tensor.gradient.size())
        throw Error(fmt::format("check_gradient: '{}' has {} values but {} gradient entries", tensor.name,
                                tensor.values.size(), tensor.gradient.size()));
      names.push_back(tensor.name);
      at_.push_back(tensor.values);
    }
  }

  const std::vector<double>& values(std::size_t t) const override { return claimed_[t].values; }
  std::size_t output_count() const override { return 1; }
  void put(std::size_t t, const std::vector<double>& values) const override { at_[t] = values; }
  void push(std::span<double> output) const override { output.front() = function_(at_); }
  std::vector<std::vector<double>> pull(const std::vector<double>& cotangent) const override {
    std::vector<std::vector<double>> all;
    for (const auto& tensor : claimed_) {
      all.push_back(tensor.gradient);
      for (double& v : all.back()) v *= cotangent.front();
    }
    return all;
  }
  // Nothing is known of how the function rounds.
  const std::vector<double>& output_rounding() const override { return no_rounding_; }
  std::vector<std::vector<double>> gradient_rounding(const std::vector<double>&) const override {
    std::vector<std::vector<double>> none;
    for (const auto& tensor : claimed_) none.emplace_back(tensor.values.size(), 0.0);
    return none;
  }
  double estimated_nanoseconds() const override { return 10 * static_cast<double>(entry_count()); }

 private:
  const ScalarFunction& function_;
  const std::vector<ClaimedGradient>& claimed_;
  mutable std::vector<std::vector<double>> at_;
  std::vector<double> no_rounding_{0.0};
};

GradientReport check_claimed(const ScalarFunction& function, const std::vector<ClaimedGradient>& claimed,
                             std::vector<Extents> extents, const GradientCheckOptions& options) {
  GradientReport report;
  if (!claimed.empty())
    report.tensors = check_jacobian(ClaimedSystem(function, claimed, std::move(extents)), options, 1);
  return report;
}

}  // namespace

GradientReport check_gradient(const Expr& loss, const HandGradient& by_hand, const Point& point,
                              std::int64_t batch, const GradientCheckOptions& options) {
  const Point gradients = by_hand(point);
  std::vector<Expr> wrt;
  for (const auto& [name, gradient] : gradients) wrt.push_back(loss.graph().find(name));
  const GradientSystem system({loss}, wrt, point, batch);
  if (system.output_count() != 1) throw Error("check_gradient: a hand-derived gradient must be of a scalar");
  std::vector<ClaimedGradient> claimed;
  for (const auto& [name, gradient] : gradients)
    claimed.push_back({name, point.find(name)->second, gradient});
  double value = 0;
  system.push({&value, 1});
  GradientReport report = check_claimed(
      [&](const std::vector<std::vector<double>>& values) {
        for (std::size_t t = 0; t < values.size(); ++t) system.put(t, values[t]);
        double loss_value = 0;
        system.push({&loss_value, 1});
        return loss_value;
      },
      claimed, system.extents, options);
  // And the tape is right where the hand was wrong?
  const auto tape = system.pull({1.0});
  for (std::size_t t = 0; t < claimed.size(); ++t) {
    double off = 0, largest = 0;
    for (std::size_t i = 0; i < tape[t].size(); ++i) {
      const double apart = std::abs(tape[t][i] - claimed[t].gradient[i]);
      off = std::isnan(apart) ? apart : std::max(off, apart);
      largest = std::max(largest, std::abs(tape[t][i]));
    }
    constexpr double rounding = 1e-12;
    if (!(off <= rounding * largest + gradient_rounding(value, claimed[t].values)))
      report.properties.push_back(
          {"agrees with the tape", false,
           fmt::format("'{}' is off by {:.3g} of its largest entry", claimed[t].name, off / largest)});
  }
  if (options.properties)
    for (auto& property : check_properties(loss, wrt, point, batch, options, false))
      report.properties.push_back(property);
  return report;
}

GradientReport check_gradient(const ScalarFunction& function, const std::vector<ClaimedGradient>& claimed,
                              const GradientCheckOptions& options) {
  std::vector<Extents> extents;
  extents.reserve(claimed.size());
  for (const auto& tensor : claimed) extents.push_back({static_cast<std::int64_t>(tensor.values.size())});
  return check_claimed(function, claimed, extents, options);
}

Point random_point(const Expr& expr, std::int64_t batch, std::uint64_t seed, Point given) {
  const Expr outputs[] = {expr};
  const Program needed = extract(outputs, {});
  for (NodeId id = 0; id < needed.graph->size(); ++id) {
    const Node& node = (*needed.graph)[id];
    if (node.identity() == nullptr || given.contains(node.label)) continue;
    Random random(seed, stream_of(node.label));
    auto& values = given[node.label];
    values.resize(static_cast<std::size_t>(element_count(node.shape.resolve(batch))));
    for (double& v : values) v = random.normal();
  }
  return given;
}

}  // namespace gradus
