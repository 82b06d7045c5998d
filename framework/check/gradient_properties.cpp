#include "framework/check/gradient_properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "framework/check/gradient_jacobian.hpp"
#include "framework/check/gradient_system.hpp"
#include "framework/compile/extract.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/graph/node.hpp"
#include "gradus/inspect/nan_trace.hpp"

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

double largest_of(const std::vector<double>& values) {
  double largest = 0;
  for (const double v : values) largest = std::max(largest, std::abs(v));
  return largest;
}

// The first tensor that differs by more than rounding can explain; NaN differs.
std::string different(const GradientSystem& system, const Values& a, const Values& b) {
  constexpr double rounding = 1e-10;
  for (std::size_t t = 0; t < a.size(); ++t) {
    double allowed = rounding * largest_of(a[t]);
    if (t > 0) allowed += gradient_rounding(largest_of(a[0]), system.point.find(system.names[t - 1])->second);
    for (std::size_t i = 0; i < a[t].size(); ++i)
      if (!(std::abs(a[t][i] - b[t][i]) <= allowed))
        return fmt::format("{} differs at entry {}: {:.17g} and {:.17g}", name_of(system, t), i, a[t][i],
                           b[t][i]);
  }
  return {};
}

CheckedProperty property(std::string name, std::string difference) {
  return {std::move(name), difference.empty(), std::move(difference)};
}

// Runs the expression for one sample at a time.
class BatchProperty {
 public:
  BatchProperty(const Expr& expr, std::span<const Expr> wrt, const Point& point, std::int64_t batch,
                const GradientCheckOptions& options, bool agrees)
      : expr_(expr),
        wrt_(wrt.begin(), wrt.end()),
        point_(point),
        batch_(batch),
        options_(options),
        agrees_(agrees) {}

  // Nothing when samples cannot be told apart.
  std::vector<CheckedProperty> check(const GradientSystem& whole, const std::vector<double>& cotangent) {
    if (batch_ < 2 && options_.mixes_batch)
      return {{"batch", false, "mixes_batch is set, but one sample cannot show it: give a larger batch"}};
    if (batch_ < 2 || !has_samples()) return {};
    std::string why;
    try {
      if (std::string wrong = agrees_ ? wrong_alone() : ""; !wrong.empty())
        return {{"batch", false, std::move(wrong)}};
      why = expr_.shape().rank() == 0 ? not_additive(whole, cotangent) : not_by_sample(whole, cotangent);
    } catch (const Error&) {
      return {};  // a shape such as [B-1], which one sample does not have
    }
    const bool mixes = !why.empty();
    if (mixes == options_.mixes_batch) return {{"batch", true, ""}};
    return {{"batch", false,
             mixes ? why + "; if samples are meant to influence each other, set mixes_batch"
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

  // At other samples: `chosen` of the point's, one after the other.
  GradientSystem system_of(const std::vector<std::int64_t>& chosen) const {
    Point point = point_;
    for (const auto& name : samples_) {
      const auto& values = point_.find(name)->second;
      auto& moved = point[name];
      moved.clear();
      for (const std::int64_t sample : chosen)
        std::ranges::copy(row(values, sample), std::back_inserter(moved));
    }
    return {{expr_}, wrt_, point, static_cast<std::int64_t>(chosen.size())};
  }
  Values at(const std::vector<std::int64_t>& chosen, const std::vector<double>& cotangent) const {
    return values_of(system_of(chosen), cotangent);
  }

  // A rule may be right for the batch that was checked, and for no other.
  std::string wrong_alone() const {
    GradientCheckOptions options = options_;
    options.mode = GradientCheckOptions::Mode::fast;
    options.directions = 2 * static_cast<std::int64_t>(wrt_.size());
    options.samples = 0;
    options.progress = nullptr;
    for (const CheckedTensor& t : check_jacobian(system_of({0}), options, 1))
      if (t.failures > 0)
        return fmt::format(
            "of one sample alone, the gradient of '{}' is {:.6g} at {}, but differences say {:.6g}", t.name,
            t.worst.analytic, t.worst.what, t.worst.numeric);
    return {};
  }

  // One row a sample: each must be what it is alone, and a gradient that they share the sum of theirs.
  std::string not_by_sample(const GradientSystem& whole, const std::vector<double>& cotangent) const {
    const Values all = values_of(whole, cotangent);
    Values combined = all;
    for (Values::value_type& tensor : combined) std::ranges::fill(tensor, 0);
    for (std::int64_t sample = 0; sample < batch_; ++sample) {
      const Values one = at({sample}, row(cotangent, sample));
      for (std::size_t t = 0; t < all.size(); ++t) {
        const bool own = batched(t == 0 ? expr_.shape() : wrt_[t - 1].shape());
        const std::size_t first = own ? one[t].size() * static_cast<std::size_t>(sample) : 0;
        for (std::size_t i = 0; i < one[t].size(); ++i) combined[t][first + i] += one[t][i];
      }
    }
    const std::string how = different(whole, all, combined);
    return how.empty() ? how : "together, samples do not give what they give alone: " + how;
  }

  // A sum over samples, a mean of them, or either with what no sample changes: then what replacing one does
  // cannot depend on the others.
  std::string not_additive(const GradientSystem& whole, const std::vector<double>& cotangent) const {
    std::vector<std::int64_t> chosen(static_cast<std::size_t>(batch_), 0);
    const Values alike = at(chosen, cotangent);
    chosen[0] = 1;
    const Values first_of_alike = at(chosen, cotangent);
    std::iota(chosen.begin() + 1, chosen.end(), 1);
    Values replaced = at(chosen, cotangent);
    Values expected = values_of(whole, cotangent);
    for (std::size_t t = 0; t < expected.size(); ++t) {
      if (t > 0 && batched(wrt_[t - 1].shape())) {
        // The replaced sample's own.
        expected[t] = row(first_of_alike[t], 0);
        replaced[t] = row(replaced[t], 0);
      } else {
        for (std::size_t i = 0; i < expected[t].size(); ++i) {
          expected[t][i] += first_of_alike[t][i];
          replaced[t][i] += alike[t][i];
        }
      }
    }
    const std::string how = different(whole, replaced, expected);
    return how.empty() ? how : "what one sample contributes depends on the others: " + how;
  }

  const Expr& expr_;
  std::vector<Expr> wrt_;
  const Point& point_;
  std::int64_t batch_;
  const GradientCheckOptions& options_;
  bool agrees_;
  std::vector<std::string> samples_;
};

}  // namespace

std::vector<CheckedProperty> check_properties(const Expr& expr, std::span<const Expr> wrt, const Point& point,
                                              std::int64_t batch, const GradientCheckOptions& options,
                                              bool agrees) {
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
  if (!bad.empty()) {
    Point at = point;
    const auto gradients = pulled_back(expr, wrt, batch, options.seed, at);
    if (const auto trace = trace_nan(gradients, at, batch)) bad += "; " + trace->text;
    return {property("finite", bad)};  // the others would fail with it
  }
  found.push_back(property("finite", bad));
  found.push_back(property("deterministic", different_bits(usual, values, values_of(usual, cotangent))));
  if (!found.back().ok) return found;

  bad.clear();
  const auto zeros = usual.pull(std::vector<double>(cotangent.size(), 0));
  for (std::size_t t = 0; t < zeros.size() && bad.empty(); ++t)
    if (!std::ranges::all_of(zeros[t], [](double v) { return v == 0; }))
      bad = fmt::format("the gradient of '{}' is not zero", usual.names[t]);
  found.push_back(property("zero cotangent", bad));

  found.push_back(property("optimised = as written",
                           different(usual, values, values_of(system({.optimize = false}), cotangent))));
  std::string plans = different_bits(usual, values, values_of(system({.reuse = Reuse::none}), cotangent));
  if (plans.empty())
    plans = different_bits(usual, values, values_of(system({.reuse = Reuse::poisoned}), cotangent));
  found.push_back(property("memory plans", plans));

  for (auto& p : BatchProperty(expr, wrt, point, batch, options, agrees).check(usual, cotangent))
    found.push_back(std::move(p));
  return found;
}

}  // namespace gradus
