#include "gradus/framework/inspect/gradient_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/framework/compile/executable.hpp"
#include "gradus/framework/graph/gradient.hpp"
#include "gradus/framework/graph/leaf.hpp"
#include "gradus/framework/random.hpp"

namespace gradus {

namespace {

struct Difference {
  double value;
  double uncertainty;
};

// f′ by (f(x−2h) − 8f(x−h) + 8f(x+h) − f(x+2h)) / 12h, of order h⁴ (Abramowitz & Stegun 25.3.6). The
// difference from the same with 2h is 15 times the truncation error left (Richardson); rounding adds about
// ε·max|f| / h.
template <class F>
Difference difference(F f, double h) {
  const auto stencil = [&](double step, double& scale) {
    const double a = f(-2 * step), b = f(-step), c = f(step), d = f(2 * step);
    scale = std::max({scale, std::abs(a), std::abs(b), std::abs(c), std::abs(d)});
    return (a - 8 * b + 8 * c - d) / (12 * step);
  };
  double scale = 0;
  const double fine = stencil(h, scale);
  const double coarse = stencil(2 * h, scale);
  const double rounding = 4 * std::numeric_limits<double>::epsilon() * scale / h;
  return {fine, std::abs(fine - coarse) / 15 + rounding};
}

CheckedTensor verdict(const ClaimedGradient& claimed, const std::vector<Difference>& numeric,
                      double tolerance) {
  CheckedTensor tensor{claimed.name, {static_cast<std::int64_t>(claimed.values.size())}, true, {}, {}};
  double largest = 0;
  for (std::size_t i = 0; i < numeric.size(); ++i)
    largest = std::max({largest, std::abs(numeric[i].value), std::abs(claimed.gradient[i])});
  double furthest = -1;
  for (std::size_t i = 0; i < numeric.size(); ++i) {
    CheckedEntry entry{i, claimed.gradient[i], numeric[i].value, numeric[i].uncertainty, 0};
    const double off = std::abs(entry.analytic - entry.numeric);
    entry.error = off == 0 ? 0 : off / largest;
    const double allowed = tolerance * largest + entry.uncertainty;
    // Negated, so that NaN fails.
    const bool fails = !(off <= allowed);
    if (fails) tensor.failed.push_back(entry);
    const double distance = fails && std::isnan(off) ? std::numeric_limits<double>::infinity()
                            : allowed == 0           ? 0
                                                     : off / allowed;
    if (distance > furthest) {
      furthest = distance;
      tensor.worst = entry;
    }
  }
  tensor.ok = tensor.failed.empty();
  return tensor;
}

}  // namespace

bool GradientReport::ok() const { return std::ranges::all_of(tensors, &CheckedTensor::ok); }

double GradientReport::worst_error() const {
  double worst = 0;
  for (const auto& tensor : tensors) worst = std::max(worst, tensor.worst.error);
  return worst;
}

std::string GradientReport::text() const {
  std::string text = fmt::format("{:<16} {:>14} {:>7} {:>22} {:>22} {:>9}  {}\n", "tensor", "shape", "entry",
                                 "gradient there", "difference there", "error", "verdict");
  for (const auto& tensor : tensors) {
    const auto row = [&](const CheckedEntry& e, std::string_view name, std::string_view shape,
                         std::string_view v) {
      text += fmt::format("{:<16} {:>14} {:>7} {:>22.15g} {:>22.15g} {:>9.1e}  {}\n", name, shape, e.index,
                          e.analytic, e.numeric, e.error, v);
    };
    row(tensor.worst, tensor.name, to_string(std::span(tensor.extents)), tensor.ok ? "ok" : "WRONG");
    constexpr std::size_t most_shown = 10;
    for (std::size_t i = 0; i < std::min(tensor.failed.size(), most_shown); ++i)
      if (tensor.failed[i].index != tensor.worst.index) row(tensor.failed[i], "", "", "WRONG");
    if (tensor.failed.size() > most_shown)
      text += fmt::format("{:<16} … {} entries wrong in all\n", "", tensor.failed.size());
  }
  return text;
}

GradientReport check_gradient(const ScalarFunction& function, const std::vector<ClaimedGradient>& claimed,
                              const GradientCheckOptions& options) {
  std::vector<std::vector<double>> values;
  for (const auto& tensor : claimed) {
    if (tensor.values.size() != tensor.gradient.size())
      throw Error(fmt::format("check_gradient: '{}' has {} values but {} gradient entries", tensor.name,
                              tensor.values.size(), tensor.gradient.size()));
    values.push_back(tensor.values);
  }
  GradientReport report;
  for (std::size_t t = 0; t < claimed.size(); ++t) {
    std::vector<Difference> numeric;
    for (std::size_t i = 0; i < values[t].size(); ++i) {
      const double x = values[t][i];
      numeric.push_back(difference(
          [&](double offset) {
            values[t][i] = x + offset;
            return function(values);
          },
          options.step * std::max(1.0, std::abs(x))));
      values[t][i] = x;
    }
    report.tensors.push_back(verdict(claimed[t], numeric, options.tolerance));
  }
  return report;
}

GradientReport check_gradient(const Expr& expr, std::span<const Expr> wrt, const Point& point,
                              std::int64_t batch, const GradientCheckOptions& options) {
  Graph& graph = expr.graph();
  Store<double> store;
  const Expr cotangent =
      graph.name(graph.expr(graph.append(std::make_shared<const Input>("cotangent", expr.shape()), {},
                                         expr.shape(), {})),
                 "cotangent");
  auto forward = compile<double>({expr}, {}, batch, store);
  const auto gradients = vjp({&expr, 1}, {&cotangent, 1}, wrt);
  auto backward = compile<double>(gradients, {}, batch, store);

  Random random(options.seed);
  std::vector<double> seed(static_cast<std::size_t>(element_count(expr.shape().resolve(batch))), 1.0);
  if (expr.shape().rank() != 0)
    for (double& s : seed) s = random.uniform(-1, 1);

  const auto put = [&](Executable<double>& into, std::string_view name, std::span<const double> values) {
    if (into.has_input(name))
      into.feed(name, values);
    else if (store.contains(name))
      store.set(name, values);
  };
  for (auto* executable : {&forward, &backward}) {
    for (const auto& [name, values] : point) put(*executable, name, values);
    if (executable->has_input("cotangent")) executable->feed("cotangent", seed);
  }
  backward.run();

  std::vector<ClaimedGradient> claimed;
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    const std::string& name = graph[wrt[i].id()].label;
    const auto found = point.find(name);
    if (found == point.end())
      throw Error(fmt::format("check_gradient: the point has no values for {}", graph.describe(wrt[i].id())));
    const auto analytic = backward.output(i).values;
    claimed.push_back({name, found->second, {analytic.begin(), analytic.end()}});
  }
  const auto function = [&](const std::vector<std::vector<double>>& values) {
    for (std::size_t i = 0; i < claimed.size(); ++i) put(forward, claimed[i].name, values[i]);
    forward.run();
    const auto y = forward.output().values;
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += seed[i] * y[i];
    return sum;
  };
  GradientReport report = check_gradient(function, claimed, options);
  for (std::size_t i = 0; i < wrt.size(); ++i) report.tensors[i].extents = wrt[i].shape().resolve(batch);
  return report;
}

}  // namespace gradus
