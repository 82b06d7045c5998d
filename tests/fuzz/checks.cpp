#include "checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/compile/extract.hpp"
#include "subject.hpp"

namespace gradus::fuzz {

namespace {

// The first expression whose values are not close, if it is stable.
std::optional<Failure> compare(const Subject& s, const std::string& check, const std::vector<Values>& found,
                               const std::vector<Values>& expected, const std::vector<double>& allowed) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double off = relative_difference(found[i], expected[i]);
    if (!(off <= allowed[i]))
      return Failure{check, fmt::format("{} is off by {:.3g} of its largest entry {:.3g}; allowed is {:.3g}",
                                        s.describe(i), off, largest_of(expected[i]), allowed[i])};
  }
  return std::nullopt;
}

std::optional<Failure> check_finite(const Subject& s) {
  constexpr double too_large = 1e15;
  for (std::size_t i = 0; i < s.exact.size(); ++i)
    if (!std::ranges::all_of(s.exact[i], [](double v) { return std::abs(v) < too_large; }))
      return Failure{"finite", s.describe(i) + " is not finite, or too large: " + s.trace()};
  return std::nullopt;
}

std::optional<Failure> check_values(const Subject& s, const std::vector<double>& moved) {
  std::vector<double> allowed;
  for (const double by : moved)
    allowed.push_back(by <= unstable ? rounding : std::numeric_limits<double>::infinity());
  const auto raw = s.run<double>({.optimize = false, .reuse = Reuse::none});
  if (auto failure = compare(s, "raw", raw, s.exact, allowed)) return failure;
  const auto optimised = s.run<double>({.reuse = Reuse::none});
  if (auto failure = compare(s, "optimised", optimised, raw, allowed)) return failure;
  for (const bool optimize : {false, true})
    for (const Reuse reuse : {Reuse::full, Reuse::poisoned}) {
      const auto planned = s.run<double>({.optimize = optimize, .reuse = reuse});
      for (std::size_t i = 0; i < planned.size(); ++i)
        if (!same_bits(planned[i], (optimize ? optimised : raw)[i]))
          return Failure{"plans",
                         fmt::format("{} has other bits than without reuse (optimize: {}, poisoned: {})",
                                     s.describe(i), optimize, reuse == Reuse::poisoned)};
    }
  return std::nullopt;
}

// ⟨cotangents, J tangents⟩ = ⟨Jᵀ cotangents, tangents⟩, to rounding: derivatives against each other.
std::optional<Failure> check_adjoint(const Subject& s, const std::vector<double>& moved) {
  if (s.leaves.empty() || std::ranges::max(moved) > unstable) return std::nullopt;
  const std::size_t outputs = s.built.outputs.size();
  double pushed = 0, pulled = 0, size = 0;
  const auto add = [&](double& sum, const Values& a, const Values& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      sum += a[i] * b[i];
      size += std::abs(a[i] * b[i]);
    }
  };
  for (std::size_t i = 0; i < outputs; ++i)
    add(pushed, s.exact[outputs + s.leaves.size() + i], s.point.at(fmt::format("fuzz/cotangent {}", i)));
  for (std::size_t i = 0; i < s.leaves.size(); ++i)
    add(pulled, s.exact[outputs + i], s.point.at(fmt::format("fuzz/tangent {}", i)));
  if (std::abs(pushed - pulled) <= rounding * size) return std::nullopt;
  return Failure{"adjoint", fmt::format("forward {:.17g}, reverse {:.17g}", pushed, pulled)};
}

std::optional<Failure> check_float(const Subject& s, Tally& tally) {
  const auto moved = sensitivity(s.live, s.point, s.batch, in_float);
  std::vector<double> allowed;
  for (std::size_t i = 0; i < moved.size(); ++i) {
    const double largest = largest_of(s.exact[i]);
    const bool tiny = largest > 0 && largest < 1e-30;  // float has no such numbers
    const bool skip = moved[i] > 1e-4 || tiny;
    tally.float_skipped += skip ? 1 : 0;
    allowed.push_back(skip ? std::numeric_limits<double>::infinity() : 1e-5 + 30 * moved[i]);
  }
  for (const bool optimize : {false, true})
    if (auto failure = compare(s, "float", s.run<float>({.optimize = optimize, .reuse = Reuse::poisoned}),
                               s.exact, allowed))
      return failure;
  return std::nullopt;
}

// Outputs and variables after each of three runs, by hand: every node by itself, then the updates at once.
std::vector<Values> updated_by_hand(const Built& built) {
  std::vector<Expr> exprs = built.outputs;
  for (const Update& u : built.updates) exprs.push_back(u.value);
  const Program live = extract(exprs, {});
  Point point = built.point;
  std::vector<Values> all;
  for (int run = 0; run < 3; ++run) {
    const auto nodes = evaluate_nodes(exprs, point, built.recipe.batch).values;
    for (const NodeId id : live.outputs) all.push_back(nodes[static_cast<std::size_t>(id)]);
    for (std::size_t u = 0; u < built.updates.size(); ++u)
      point[built.graph[built.updates[u].variable.id()].label] =
          nodes[static_cast<std::size_t>(live.outputs[built.outputs.size() + u])];
  }
  return all;
}

std::vector<Values> updated(const Built& built, CompileOptions options) {
  Store<double> store;
  options.verify = true;
  auto program = compile<double>(std::span<const Expr>(built.outputs), built.updates, built.recipe.batch,
                                 store, options);
  put(built.point, program, store);
  std::vector<Values> all;
  for (int run = 0; run < 3; ++run) {
    program.run();
    for (std::size_t i = 0; i < built.outputs.size(); ++i) {
      const auto values = program.output(i).values;
      all.emplace_back(values.begin(), values.end());
    }
    for (const Update& u : built.updates) {
      const auto values = store.values(built.graph[u.variable.id()].label);
      all.emplace_back(values.begin(), values.end());
    }
  }
  return all;
}

std::optional<Failure> check_updates(const Subject& s, Tally& tally) {
  const Built& built = s.built;
  if (built.updates.empty()) return std::nullopt;
  ++tally.programs;
  const auto expected = updated_by_hand(built);
  const std::size_t per_run = expected.size() / 3;
  for (const bool optimize : {false, true}) {
    std::vector<Values> unshared;
    for (const Reuse reuse : {Reuse::none, Reuse::full, Reuse::poisoned}) {
      const auto found = updated(built, {.optimize = optimize, .reuse = reuse});
      if (reuse == Reuse::none) unshared = found;
      for (std::size_t i = 0; i < found.size(); ++i) {
        const std::size_t item = i % per_run;
        const std::string what =
            item < built.outputs.size()
                ? fmt::format("output {}", item)
                : built.graph.describe(built.updates[item - built.outputs.size()].variable.id());
        const std::string where =
            fmt::format("{} in run {} (optimize: {}, reuse: {})", what, i / per_run, optimize,
                        reuse == Reuse::none   ? "none"
                        : reuse == Reuse::full ? "full"
                                               : "poisoned");
        if (!(relative_difference(found[i], expected[i]) <= rounding))
          return Failure{"updates", where + " is not what the updates by hand give"};
        if (!same_bits(found[i], unshared[i]))
          return Failure{"updates", where + " has other bits than without reuse"};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

bool same_kind(const Failure& a, const Failure& b) {
  constexpr std::size_t telling = 12;
  return a.check == b.check &&
         (a.check != "error" || a.detail.substr(0, telling) == b.detail.substr(0, telling));
}

std::optional<Failure> check(const Recipe& recipe, Tally& tally, const CheckOptions& options) {
  try {
    const Built valid(recipe);
  } catch (const Error& error) {
    return Failure{"build", error.what()};
  }
  try {
    ++tally.graphs;
    tally.steps += recipe.steps.size();
    const Subject subject(recipe);
    if (auto failure = options.full ? std::nullopt : check_updates(subject, tally)) return failure;
    if (subject.exprs.empty()) return std::nullopt;
    if (auto failure = check_finite(subject)) return failure;
    if (!options.full) {
      const auto moved = sensitivity(subject.live, subject.point, subject.batch, in_double);
      tally.tensors += moved.size();
      tally.unstable +=
          static_cast<std::size_t>(std::ranges::count_if(moved, [](double by) { return by > unstable; }));
      if (auto failure = check_values(subject, moved)) return failure;
      if (auto failure = check_adjoint(subject, moved)) return failure;
      if (auto failure = check_float(subject, tally)) return failure;
    }
    return check_gradients(subject, options, tally);
  } catch (const Error& error) {
    return Failure{"error", error.what()};
  }
}

std::string Tally::text() const {
  return fmt::format(
      "{} graphs of {} steps, {} tensors ({} unstable, {} not compared in float), {} programs with updates, "
      "{} gradient checks ({} of order 2, {} moved from a kink), {} may mix samples ({} do not)\n",
      graphs, steps, tensors, unstable, float_skipped, programs, gradient_checks, second_order, moved, mixing,
      apart);
}

}  // namespace gradus::fuzz
