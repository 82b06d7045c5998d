#include "subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "framework/check/gradient_system.hpp"
#include "framework/compile/extract.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/inspect/nan_trace.hpp"

namespace gradus::fuzz {

double relative_difference(const Values& a, const Values& b) {
  double off = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return std::numeric_limits<double>::infinity();
    off = std::max(off, std::abs(a[i] - b[i]));
  }
  return off == 0 ? 0 : off / largest_of(b);
}

bool same_bits(const Values& a, const Values& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

namespace {

std::vector<Values> evaluated(const Program& program, const Point& point, std::int64_t batch,
                              const Noise& noise = {}) {
  const auto nodes = interpret(*program.graph, point, batch, noise);
  std::vector<Values> all;
  for (const NodeId id : program.outputs) all.push_back(nodes[static_cast<std::size_t>(id)]);
  return all;
}

}  // namespace

std::vector<double> sensitivity(const Program& program, const Point& point, std::int64_t batch, Noise noise) {
  const auto exact = evaluated(program, point, batch);
  std::vector<double> worst(exact.size(), 0);
  for (noise.seed = 0; noise.seed < 4; ++noise.seed) {
    const auto moved = evaluated(program, point, batch, noise);
    for (std::size_t i = 0; i < exact.size(); ++i)
      worst[i] = std::max(worst[i], relative_difference(moved[i], exact[i]));
  }
  return worst;
}

Subject::Subject(const Recipe& recipe)
    : built(recipe), point(built.point), batch(recipe.batch), random_(recipe.seed, stream_of("directions")) {
  for (std::size_t i = 0; i < recipe.steps.size(); ++i) {
    const Form::Kind kind = recipe.steps[i].form->kind;
    const bool named = kind == Form::Kind::input || kind == Form::Kind::variable;
    if (!named || built.facts[i].whole) continue;
    leaves.push_back(built.exprs[i]);
    steps.push_back(i);
  }
  exprs = built.outputs;
  if (exprs.empty()) return;
  if (!leaves.empty()) {
    cotangents = directions("cotangent", built.outputs);
    const auto tangents = directions("tangent", leaves);
    for (const Expr& gradient : vjp(built.outputs, cotangents, leaves)) exprs.push_back(gradient);
    for (const Expr& pushed : jvp(built.outputs, leaves, tangents)) exprs.push_back(pushed);
  }
  live = extract(exprs, {});
  exact = evaluated(live, point, batch);
}

std::string Subject::describe(std::size_t i) const {
  const std::size_t outputs = built.outputs.size();
  if (i < outputs) return fmt::format("output {}", i);
  if (i >= outputs + leaves.size())
    return fmt::format("the tangent of output {}", i - outputs - leaves.size());
  return "the gradient of " + built.graph.describe(leaves[i - outputs].id());
}

std::string Subject::trace() const {
  const auto found = trace_nan(exprs, point, batch);
  return found ? found->text : "finite as evaluated";
}

// An input for each expression, with random numbers that float has, too.
std::vector<Expr> Subject::directions(const std::string& prefix, const std::vector<Expr>& like) {
  std::vector<Expr> inputs;
  for (const Expr& e : like) {
    const std::string name = fmt::format("fuzz/{} {}", prefix, inputs.size());
    inputs.push_back(cotangent_input(e, name));
    for (auto n = element_count(e.shape().resolve(batch)); n > 0; --n)
      point[name].push_back(static_cast<float>(random_.normal()));
  }
  return inputs;
}

}  // namespace gradus::fuzz
