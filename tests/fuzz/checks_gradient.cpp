#include <fmt/format.h>

#include <algorithm>

#include "framework/check/gradient_system.hpp"
#include "framework/compile/extract.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/check/gradient_check.hpp"
#include "subject.hpp"

namespace gradus::fuzz {

namespace {

// The same graph at a point nearby: a kink that was hit by chance is not hit again.
Point moved(const Built& built, std::uint64_t seed) {
  Point point = built.point;
  Random random(seed, stream_of("moved"));
  for (std::size_t i = 0; i < built.recipe.steps.size(); ++i) {
    const auto found = point.find(name_of(built.recipe, i));
    if (found == point.end() || built.facts[i].whole) continue;
    for (double& v : found->second) v += random.uniform(-0.02, 0.02);
  }
  return point;
}

// Differences see through stop_gradient: of these leaves the gradient is another.
std::vector<bool> stopped(const Recipe& recipe) {
  std::vector<bool> reaches(recipe.steps.size(), false);
  for (std::size_t i = recipe.steps.size(); i-- > 0;) {
    const Step& step = recipe.steps[i];
    for (const std::size_t in : step.in)
      reaches[in] = reaches[in] || reaches[i] || step.form->op == "stop_gradient";
  }
  return reaches;
}

// The check itself must cope with what is ill-conditioned, but not with zeros that are rounding.
constexpr double nothing_but_rounding = 1e-3;

// The leaves of which an output's gradient can be checked: it is not rounding, and not another.
std::vector<Expr> checkable(const Subject& s, std::size_t which, bool full) {
  const Expr& output = s.built.outputs[which];
  const std::vector<bool> seen_through = stopped(s.built.recipe);
  std::vector<Expr> leaves;
  for (const Expr& leaf : gradient_leaves(output)) {
    const auto at = std::ranges::find_if(s.leaves, [&](const Expr& l) { return l.same_as(leaf); });
    if (!seen_through[s.steps[static_cast<std::size_t>(at - s.leaves.begin())]]) leaves.push_back(leaf);
  }
  if (leaves.empty()) return leaves;
  const double most = full ? nothing_but_rounding : unstable;
  // The value jumps where rounding decides a comparison, and differences say nothing of the gradient.
  if (sensitivity(extract({&output, 1}, {}), s.point, s.batch, in_double).front() > most) return {};
  const auto gradients = vjp({&output, 1}, {&s.cotangents[which], 1}, leaves);
  const auto moved = sensitivity(extract(gradients, {}), s.point, s.batch, in_double);
  std::vector<Expr> stable;
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (moved[i] <= most) stable.push_back(leaves[i]);
  return stable;
}

std::optional<Failure> check_gradient_of(const Subject& s, std::size_t which, GradientCheckOptions how,
                                         const CheckOptions& options, Tally& tally) {
  const Expr& output = s.built.outputs[which];
  const std::vector<Expr> wrt = checkable(s, which, options.full);
  if (wrt.empty()) return std::nullopt;
  ++tally.gradient_checks;
  const bool mixed = s.built.facts[s.built.recipe.outputs[which]].samples == Samples::mixed;
  how.mixes_batch = mixed;
  tally.mixing += mixed ? 1 : 0;
  tally.second_order += how.order == 2 ? 1 : 0;
  if (!options.full) {
    how.mode = GradientCheckOptions::Mode::fast;
    how.directions = how.samples = static_cast<std::int64_t>(std::max<std::size_t>(wrt.size(), 4));
  }
  constexpr std::uint64_t attempts = 3;
  for (std::uint64_t attempt = 0;; ++attempt) {
    const Point point = attempt == 0 ? s.built.point : moved(s.built, s.built.recipe.seed + attempt);
    GradientReport report = check_gradient(output, wrt, point, s.batch, how);
    for (CheckedProperty& p : report.properties)
      if (p.name == "batch" && !p.ok && mixed) {
        // The generator knows only what might mix.
        p.ok = true;
        ++tally.apart;
      }
    if (report.ok()) {
      tally.moved += attempt > 0 ? 1 : 0;
      return std::nullopt;
    }
    // The check itself asks for another point where there are many kinks.
    const bool at_kinks =
        std::ranges::all_of(report.tensors, [](const CheckedTensor& t) { return t.failures == 0; });
    if ((at_kinks || !options.full) && attempt + 1 < attempts) continue;
    const bool wrong = !std::ranges::all_of(report.tensors, &CheckedTensor::ok);
    const auto broken = std::ranges::find(report.properties, false, &CheckedProperty::ok);
    return Failure{wrong ? "gradient" : "gradient's " + broken->name,
                   fmt::format("output {}:\n{}", which, report.text())};
  }
}

}  // namespace

std::optional<Failure> check_gradients(const Subject& s, const CheckOptions& options, Tally& tally) {
  GradientCheckOptions how;
  // The second order of large graphs takes long.
  how.order = s.built.recipe.seed % 2 == 0 && s.built.recipe.steps.size() <= 40 ? 2 : 1;
  for (std::size_t i = 0; i < s.built.outputs.size(); ++i)
    if (auto failure = check_gradient_of(s, i, how, options, tally)) return failure;
  return std::nullopt;
}

}  // namespace gradus::fuzz
