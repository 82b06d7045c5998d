#include "gradus/framework/inspect/gradient_properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "gradus/framework/graph/gradient.hpp"
#include "gradus/framework/graph/leaf.hpp"

namespace gradus {

namespace {

// Outputs, then gradients by leaf.
using Values = std::vector<std::vector<double>>;

Values values_of(const GradientSystem& system, const std::vector<double>& cotangent) {
  Values all;
  all.emplace_back(system.output_count());
  system.push(all.front());
  for (auto& gradient : system.pull(cotangent)) all.push_back(std::move(gradient));
  return all;
}

std::string name_of(const GradientSystem& system, std::size_t index) {
  return index == 0 ? "the value" : fmt::format("the gradient of '{}'", system.names[index - 1]);
}

// The first place where bits differ, or nothing.
std::string different_bits(const GradientSystem& system, const Values& a, const Values& b) {
  for (std::size_t t = 0; t < a.size(); ++t)
    for (std::size_t i = 0; i < a[t].size(); ++i)
      if (std::bit_cast<std::uint64_t>(a[t][i]) != std::bit_cast<std::uint64_t>(b[t][i]))
        return fmt::format("{} differs at entry {}: {} and {}", name_of(system, t), i, a[t][i], b[t][i]);
  return {};
}

// The first tensor that differs by more than a fraction of its largest entry; NaN differs.
std::string different(const GradientSystem& system, const Values& a, const Values& b, double tolerance) {
  for (std::size_t t = 0; t < a.size(); ++t) {
    double largest = 0;
    for (const double v : a[t]) largest = std::max(largest, std::abs(v));
    for (std::size_t i = 0; i < a[t].size(); ++i)
      if (!(std::abs(a[t][i] - b[t][i]) <= tolerance * largest))
        return fmt::format("{} differs at entry {}: {:.17g} and {:.17g}", name_of(system, t), i, a[t][i],
                           b[t][i]);
  }
  return {};
}

CheckedProperty property(std::string name, std::string difference) {
  return {std::move(name), difference.empty(), std::move(difference)};
}

constexpr double rounding = 1e-10;

// Runs the expression for one sample at a time.
class BatchProperty {
 public:
  BatchProperty(const Expr& expr, std::span<const Expr> wrt, const Point& point, std::int64_t batch,
                const GradientCheckOptions& options)
      : expr_(expr), wrt_(wrt.begin(), wrt.end()), point_(point), batch_(batch), options_(options) {}

  // Nothing when samples cannot be told apart.
  std::vector<CheckedProperty> check(const GradientSystem& whole, const std::vector<double>& cotangent) {
    if (batch_ < 2 || !has_samples()) return {};
    const auto rows = per_sample(cotangent);
    const Values all = values_of(whole, cotangent);
    std::string why = combine(whole, all, rows, 1);
    if (!why.empty() && expr_.shape().rank() == 0) {
      const std::string mean = combine(whole, all, rows, 1.0 / static_cast<double>(batch_));
      if (mean.empty()) why.clear();
      // Say how a mean is off when the value is a mean.
      if (!mean.starts_with("the value")) why = mean;
    }
    const bool mixes = !why.empty();
    if (mixes == options_.mixes_batch) return {{"batch", true, ""}};
    return {{"batch", false,
             mixes ? "the samples' gradients do not combine to the batch's (as a sum or a mean): " + why +
                         "; if samples are meant to influence each other, set mixes_batch"
                   : "mixes_batch is set, but the samples do not influence each other"}};
  }

 private:
  bool batched(const Shape& shape) const { return shape.rank() > 0 && shape[0] == B; }
  static bool rest_is_constant(const Shape& shape) {
    return std::all_of(shape.begin() + (shape.rank() > 0 ? 1 : 0), shape.end(),
                       [](Dim d) { return d.is_constant(); });
  }

  // All inputs are samples, or free of the batch; the output is one row a sample, or a scalar.
  bool has_samples() {
    const Shape& shape = expr_.shape();
    if (!(shape.rank() == 0 || (batched(shape) && rest_is_constant(shape)))) return false;
    const Program needed = extract({&expr_, 1}, {});
    bool any = false;
    for (const NodeId id : needed.inputs) {
      const Shape& input = (*needed.graph)[id].shape;
      if (input.is_constant()) continue;
      if (!batched(input) || !rest_is_constant(input)) return false;
      samples_.push_back((*needed.graph)[id].label);
      any = true;
    }
    return any;
  }

  std::vector<double> row(const std::vector<double>& values, std::int64_t sample) const {
    const auto width = values.size() / static_cast<std::size_t>(batch_);
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(width) * sample;
    return {first, first + static_cast<std::ptrdiff_t>(width)};
  }

  std::vector<Values> per_sample(const std::vector<double>& cotangent) {
    std::vector<Values> rows;
    for (std::int64_t sample = 0; sample < batch_; ++sample) {
      Point point = point_;
      for (const auto& name : samples_) point[name] = row(point_.find(name)->second, sample);
      const GradientSystem one({expr_}, wrt_, point, 1);
      rows.push_back(values_of(one, expr_.shape().rank() == 0 ? cotangent : row(cotangent, sample)));
    }
    return rows;
  }

  // Puts samples together, `weight` each, and compares.
  std::string combine(const GradientSystem& whole, const Values& all, const std::vector<Values>& rows,
                      double weight) const {
    Values combined = all;
    for (std::size_t t = 0; t < all.size(); ++t) {
      const Shape& shape = t == 0 ? expr_.shape() : wrt_[t - 1].shape();
      if (batched(shape)) {
        combined[t].clear();
        for (const Values& sample : rows)
          for (const double v : sample[t]) combined[t].push_back(t == 0 ? v : weight * v);
      } else {
        std::ranges::fill(combined[t], 0);
        for (const Values& sample : rows)
          for (std::size_t i = 0; i < combined[t].size(); ++i) combined[t][i] += weight * sample[t][i];
      }
    }
    return different(whole, all, combined, rounding);
  }

  const Expr& expr_;
  std::vector<Expr> wrt_;
  const Point& point_;
  std::int64_t batch_;
  const GradientCheckOptions& options_;
  std::vector<std::string> samples_;
};

}  // namespace

std::vector<CheckedProperty> check_properties(const Expr& expr, std::span<const Expr> wrt, const Point& point,
                                              std::int64_t batch, const GradientCheckOptions& options) {
  const std::vector<Expr> leaves(wrt.begin(), wrt.end());
  const auto cotangent = random_cotangent(expr, batch, options.seed);
  const auto system = [&](const CompileOptions& how) {
    return GradientSystem({expr}, leaves, point, batch, how);
  };
  const GradientSystem usual = system({});
  const Values values = values_of(usual, cotangent);

  std::vector<CheckedProperty> found;
  std::string bad;
  for (std::size_t t = 0; t < values.size() && bad.empty(); ++t)
    if (!std::ranges::all_of(values[t], [](double v) { return std::isfinite(v); }))
      bad = name_of(usual, t) + " is not finite";
  found.push_back(property("finite", bad));
  found.push_back(property("deterministic", different_bits(usual, values, values_of(usual, cotangent))));

  bad.clear();
  const auto zeros = usual.pull(std::vector<double>(cotangent.size(), 0));
  for (std::size_t t = 0; t < zeros.size() && bad.empty(); ++t)
    if (!std::ranges::all_of(zeros[t], [](double v) { return v == 0; }))
      bad = fmt::format("the gradient of '{}' is not zero", usual.names[t]);
  found.push_back(property("zero cotangent", bad));

  found.push_back(
      property("optimised = as written",
               different(usual, values, values_of(system({.optimize = false}), cotangent), rounding)));
  std::string plans = different_bits(usual, values, values_of(system({.reuse = Reuse::none}), cotangent));
  if (plans.empty())
    plans = different_bits(usual, values, values_of(system({.reuse = Reuse::poisoned}), cotangent));
  found.push_back(property("memory plans", plans));

  for (auto& p : BatchProperty(expr, wrt, point, batch, options).check(usual, cotangent))
    found.push_back(std::move(p));
  return found;
}

}  // namespace gradus
