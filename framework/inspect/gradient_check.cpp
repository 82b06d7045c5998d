#include "gradus/framework/inspect/gradient_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "gradus/framework/graph/gradient.hpp"
#include "gradus/framework/graph/leaf.hpp"
#include "gradus/framework/inspect/difference.hpp"
#include "gradus/framework/inspect/gradient_properties.hpp"
#include "gradus/framework/inspect/nan_trace.hpp"
#include "gradus/framework/random.hpp"

namespace gradus {

namespace {

// How much more than its estimated uncertainty a difference may be off.
constexpr double safety = 10;
// Differences that leave more than this part of the largest entry uncertain prove nothing.
constexpr double coarsest = 1e-4;
// Of the scale of what is moved; twelve halvings follow.
constexpr double largest_step = 1.0 / 32;

// The verdict on one tensor, comparison by comparison.
class Verdict {
 public:
  Verdict(std::string name, Extents extents, int order) {
    tensor_.name = std::move(name);
    tensor_.extents = std::move(extents);
    tensor_.order = order;
  }

  void compare(std::string what, double analytic, const Difference& difference) {
    CheckedEntry entry{std::move(what), analytic, difference.value, difference.uncertainty, 0, 0};
    ++tensor_.compared;
    largest_ = std::max({largest_, std::abs(analytic), std::abs(difference.value)});
    double off = std::abs(analytic - difference.value);
    const double allowed = safety * difference.uncertainty;
    if (difference.kink && !(off <= allowed)) {
      ++tensor_.kinks;
      const auto [low, high] = std::minmax(difference.left, difference.right);
      const double slack = 1e-3 * (high - low);
      // NaN stays off.
      if (analytic >= low - slack && analytic <= high + slack) off = 0;
    }
    entry.excess = off == 0 ? 0 : off / allowed;
    if (std::isnan(entry.excess)) entry.excess = std::numeric_limits<double>::infinity();
    entry.error = off;  // over the largest entry, once that is known
    entries_.push_back(std::move(entry));
  }

  CheckedTensor finish() {
    for (CheckedEntry& entry : entries_) {
      if (!(safety * entry.uncertainty <= coarsest * largest_) && entry.error > 0) ++tensor_.unsettled;
      entry.error = entry.error == 0 ? 0 : entry.error / largest_;
      tensor_.worst_error = std::isnan(entry.error) ? std::numeric_limits<double>::infinity()
                                                    : std::max(tensor_.worst_error, entry.error);
    }
    std::ranges::stable_sort(entries_, std::greater<>(), &CheckedEntry::excess);
    if (!entries_.empty()) tensor_.worst = entries_.front();
    constexpr std::size_t most_kept = 20;
    for (const CheckedEntry& entry : entries_) {
      if (entry.excess <= 1) break;
      ++tensor_.failures;
      if (tensor_.failed.size() < most_kept) tensor_.failed.push_back(entry);
    }
    // One in a hundred, or one among fewer.
    const std::size_t tolerated = std::max<std::size_t>(tensor_.compared / 100, 1);
    tensor_.ok = tensor_.failures == 0 && tensor_.kinks + tensor_.unsettled <= tolerated;
    return std::move(tensor_);
  }

 private:
  CheckedTensor tensor_;
  double largest_ = 0;
  std::vector<CheckedEntry> entries_;
};

std::string index_text(std::size_t index, const Extents& extents) {
  Extents position(extents.size());
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    position[axis] = static_cast<std::int64_t>(index) % extents[axis];
    index /= static_cast<std::size_t>(extents[axis]);
  }
  return to_string(std::span<const std::int64_t>(position));
}

// What a step is measured by: the entry itself, or a tenth of the usual size of its tensor.
double scale_of(double x, const std::vector<double>& tensor) {
  double squares = 0;
  for (const double v : tensor) squares += v * v;
  const double usual = std::sqrt(squares / static_cast<double>(tensor.size()));
  const double scale = std::max(std::abs(x), 0.1 * usual);
  return scale > 0 && std::isfinite(scale) ? scale : 1;
}

// Compares the Jacobian of several outputs with differences.
class JacobianCheck {
 public:
  JacobianCheck(const GradientSystem& system, const GradientCheckOptions& options, int order)
      : system_(system), options_(options), order_(order), random_(options.seed, stream_of("directions")) {}

  std::vector<CheckedTensor> run() {
    for (std::size_t t = 0; t < system_.names.size(); ++t)
      verdicts_.emplace_back(system_.names[t], system_.extents[t], order_);
    if (options_.mode == GradientCheckOptions::Mode::full)
      full();
    else
      fast();
    std::vector<CheckedTensor> tensors;
    for (Verdict& verdict : verdicts_) tensors.push_back(verdict.finish());
    return tensors;
  }

 private:
  const std::vector<double>& tensor(std::size_t t) const {
    return system_.point.find(system_.names[t])->second;
  }

  void full() {
    // Row by row: the gradients of each output.
    const std::size_t outputs = system_.output_count();
    std::vector<std::vector<std::vector<double>>> rows;
    for (std::size_t j = 0; j < outputs; ++j) {
      std::vector<double> cotangent(outputs, 0);
      cotangent[j] = 1;
      rows.push_back(system_.pull(cotangent));
    }
    for (std::size_t t = 0; t < system_.names.size(); ++t)
      for (std::size_t i = 0; i < tensor(t).size(); ++i) {
        const auto columns = entry_differences(t, i);
        for (std::size_t j = 0; j < outputs; ++j)
          verdicts_[t].compare(entry_text(t, i, j), rows[j][t][i], columns[j]);
      }
  }

  std::string entry_text(std::size_t t, std::size_t i, std::size_t output) const {
    const std::string index = index_text(i, system_.extents[t]);
    return system_.output_count() == 1 ? index : fmt::format("output {}, {}", output, index);
  }

  std::vector<Difference> entry_differences(std::size_t t, std::size_t i) {
    std::vector<double> moved = tensor(t);
    const double x = moved[i];
    auto found = differentiate(
        [&](double offset, std::span<double> outputs) {
          moved[i] = x + offset;
          system_.put(t, moved);
          system_.push(outputs);
        },
        system_.output_count(), largest_step * scale_of(x, tensor(t)));
    system_.put(t, tensor(t));
    return found;
  }

  void fast() {
    const auto tensors = static_cast<std::int64_t>(system_.names.size());
    for (std::int64_t k = 0; k < options_.directions; ++k)
      direction(static_cast<std::size_t>(k % tensors), k);
    // Sampled entries, each against a random combination of the outputs.
    const auto cotangent = random_cotangent();
    const auto gradients = system_.pull(cotangent);
    for (std::int64_t k = 0; k < options_.samples; ++k) {
      const auto t = static_cast<std::size_t>(k % tensors);
      const auto i = static_cast<std::size_t>(random_.below(tensor(t).size()));
      const auto columns = entry_differences(t, i);
      verdicts_[t].compare(index_text(i, system_.extents[t]), gradients[t][i], combine(columns, cotangent));
    }
  }

  std::vector<double> random_cotangent() {
    std::vector<double> cotangent(system_.output_count(), 1);
    if (cotangent.size() > 1)
      for (double& v : cotangent) v = random_.normal();
    return cotangent;
  }

  static Difference combine(const std::vector<Difference>& columns, const std::vector<double>& cotangent) {
    Difference sum;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      sum.value += cotangent[j] * columns[j].value;
      sum.uncertainty += std::abs(cotangent[j]) * columns[j].uncertainty;
      sum.kink = sum.kink || columns[j].kink;
      sum.left += cotangent[j] * columns[j].left;
      sum.right += cotangent[j] * columns[j].right;
    }
    return sum;
  }

  // ⟨v, J u⟩ with u along one tensor.
  void direction(std::size_t t, std::int64_t number) {
    const auto cotangent = random_cotangent();
    // Of length 1: with many entries a longer one would cross kink after kink.
    std::vector<double> tangent(tensor(t).size());
    double squares = 0;
    for (double& u : tangent) {
      u = random_.normal();
      squares += u * u;
    }
    for (double& u : tangent) u /= std::sqrt(squares);
    std::vector<double> moved = tensor(t);
    std::vector<double> values(system_.output_count());
    const auto found = differentiate(
        [&](double offset, std::span<double> output) {
          for (std::size_t i = 0; i < moved.size(); ++i) moved[i] = tensor(t)[i] + offset * tangent[i];
          system_.put(t, moved);
          system_.push(values);
          output[0] = 0;
          for (std::size_t j = 0; j < values.size(); ++j) output[0] += cotangent[j] * values[j];
        },
        1, largest_step * scale_of(0, tensor(t)));
    system_.put(t, tensor(t));
    const auto gradients = system_.pull(cotangent);
    double analytic = 0;
    for (std::size_t i = 0; i < tangent.size(); ++i) analytic += tangent[i] * gradients[t][i];
    verdicts_[t].compare(fmt::format("direction {}", number), analytic, found.front());
  }

  const GradientSystem& system_;
  const GradientCheckOptions& options_;
  int order_;
  Random random_;
  std::vector<Verdict> verdicts_;
};

// Every op by itself, at the values that reach it: which of them is wrong?
std::vector<std::string> find_suspects(std::span<const Expr> exprs, const Point& point, std::int64_t batch,
                                       const GradientCheckOptions& options) {
  const NodeValues all = evaluate_nodes(exprs, point, batch);
  std::vector<std::string> suspects;
  std::set<std::string> seen;
  for (NodeId id = 0; id < all.graph->size(); ++id) {
    const Node& node = (*all.graph)[id];
    if (node.inputs.empty()) continue;
    Graph local;
    Point local_point;
    std::vector<Arg> operands;
    for (const NodeId input : node.inputs) {
      const std::string name = fmt::format("input {}", operands.size());
      operands.emplace_back(local.input(name, (*all.graph)[input].shape), Location());
      local_point[name] = all.values[static_cast<std::size_t>(input)];
    }
    const Expr output = make_node(node.op, operands);
    GradientCheckOptions quick = options;
    quick.properties = false;
    quick.mode = GradientCheckOptions::Mode::fast;
    quick.directions = 8;
    quick.samples = 40;
    const GradientSystem system({output}, gradient_leaves(output), local_point, batch);
    if (system.names.empty()) continue;
    for (const CheckedTensor& tensor : JacobianCheck(system, quick, 1).run()) {
      if (tensor.ok) continue;
      // One line per line of the user's source.
      if (seen.insert(std::string(node.op->name()) + to_string(node.where)).second)
        suspects.push_back(fmt::format(
            "{} at {}: its own gradient with respect to {} ({}) is {:.6g} at {}, but differences say {:.6g}",
            all.graph->describe(id), to_string(node.where), tensor.name,
            all.graph->describe(node.inputs[static_cast<std::size_t>(std::stoi(tensor.name.substr(6)))]),
            tensor.worst.analytic, tensor.worst.what, tensor.worst.numeric));
      break;
    }
  }
  return suspects;
}

void append(std::vector<CheckedTensor>& to, std::vector<CheckedTensor> more) {
  std::ranges::move(more, std::back_inserter(to));
}

}  // namespace

GradientReport check_gradient(const Expr& expr, std::span<const Expr> wrt, const Point& point,
                              std::int64_t batch, const GradientCheckOptions& options) {
  GradientReport report;
  const GradientSystem first({expr}, {wrt.begin(), wrt.end()}, point, batch);
  std::vector<Expr> checked{expr};
  if (const auto trace = trace_nan(checked, point, batch)) {
    report.properties.push_back({"finite", false, trace->text});
    return report;
  }
  Point at = point;
  report.tensors = JacobianCheck(first, options, 1).run();
  if (options.order >= 2) {
    const Expr cotangent = cotangent_input(expr, "check/cotangent");
    at["check/cotangent"] = random_cotangent(expr, batch, options.seed);
    const auto gradients = vjp({&expr, 1}, {&cotangent, 1}, wrt);
    const GradientSystem second(gradients, {wrt.begin(), wrt.end()}, at, batch);
    append(report.tensors, JacobianCheck(second, options, 2).run());
    checked.insert(checked.end(), gradients.begin(), gradients.end());
  }
  if (options.properties) report.properties = check_properties(expr, wrt, point, batch, options);
  if (!report.ok()) report.suspects = find_suspects(checked, at, batch, options);
  return report;
}

GradientReport check_gradient(const Expr& expr, const Point& point, std::int64_t batch,
                              const GradientCheckOptions& options) {
  return check_gradient(expr, gradient_leaves(expr), point, batch, options);
}

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
  GradientReport report = check_gradient(
      [&](const std::vector<std::vector<double>>& values) {
        for (std::size_t t = 0; t < values.size(); ++t) system.put(t, values[t]);
        double loss_value = 0;
        system.push({&loss_value, 1});
        return loss_value;
      },
      claimed);
  for (std::size_t t = 0; t < claimed.size(); ++t) {
    report.tensors[t].extents = system.extents[t];
    system.put(t, claimed[t].values);
  }
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
    if (!(off <= rounding * largest))
      report.properties.push_back(
          {"agrees with the tape", false,
           fmt::format("'{}' is off by {:.3g} of its largest entry", claimed[t].name, off / largest)});
  }
  if (options.properties)
    for (auto& property : check_properties(loss, wrt, point, batch, options))
      report.properties.push_back(property);
  return report;
}

GradientReport check_gradient(const ScalarFunction& function, const std::vector<ClaimedGradient>& claimed) {
  std::vector<std::vector<double>> values;
  for (const auto& tensor : claimed) {
    if (tensor.values.size() != tensor.gradient.size())
      throw Error(fmt::format("check_gradient: '{}' has {} values but {} gradient entries", tensor.name,
                              tensor.values.size(), tensor.gradient.size()));
    values.push_back(tensor.values);
  }
  GradientReport report;
  for (std::size_t t = 0; t < claimed.size(); ++t) {
    const Extents extents{static_cast<std::int64_t>(values[t].size())};
    Verdict verdict(claimed[t].name, extents, 1);
    for (std::size_t i = 0; i < values[t].size(); ++i) {
      const double x = values[t][i];
      const auto found = differentiate(
          [&](double offset, std::span<double> output) {
            values[t][i] = x + offset;
            output[0] = function(values);
          },
          1, largest_step * scale_of(x, claimed[t].values));
      values[t][i] = x;
      verdict.compare(index_text(i, extents), claimed[t].gradient[i], found.front());
    }
    report.tensors.push_back(verdict.finish());
  }
  return report;
}

}  // namespace gradus
