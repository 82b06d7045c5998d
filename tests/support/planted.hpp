#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/check/gradient_check.hpp"
#include "gradus/custom_op.hpp"

/// Ops that compute and claim whatever they are told, for tests of the gradient check.
namespace gradus::test {

using Value = std::function<void(std::span<const double> x, std::span<double> y)>;
using Rule = std::function<Expr(const Expr& x, const Expr& y, const Expr& cotangent)>;

/// Operands of one shape, which is the output's. Its rule must build in the cotangent's graph, which is
/// another one when the op is checked by itself.
struct Planted final : Op {
  std::string_view name() const override { return "planted"; }
  std::string attribute_text() const override { return {}; }
  Traits traits() const override { return op_traits; }
  const void* type_id() const override { return this; }
  std::vector<Shape> output_shapes(InputShapes inputs) const override { return {inputs[0]}; }
  std::vector<Expr> vjp(const Vjp& v) const override { return rule(v); }
  AnyKernel kernel(const KernelShapes& shapes, DType) const override {
    const auto n = static_cast<std::size_t>(element_count(shapes.output()));
    return Kernel<double>(
        [f = value, n](const KernelArgs<double>& args) { f(args.inputs, args.output(), n); });
  }
  bool same_as(const Op& other) const override { return this == &other; }
  std::size_t hash() const override { return std::hash<const void*>()(this); }

  std::function<void(const double* const* x, double* y, std::size_t n)> value;
  std::function<std::vector<Expr>(const Vjp&)> rule;
  Traits op_traits;
};

inline Expr planted(Arg x, Value value, Rule rule, Traits traits = {}) {
  auto op = std::make_shared<Planted>();
  op->value = [=](const double* const* in, double* y, std::size_t n) { value({in[0], n}, {y, n}); };
  op->rule = [=](const Vjp& v) { return std::vector{rule(v.inputs[0], v.output, v.cotangent)}; };
  op->op_traits = traits;
  return make_node(std::move(op), {&x, 1});
}

inline Value each(double (*f)(double)) {
  return [f](auto x, auto y) { std::ranges::transform(x, y.begin(), f); };
}

/// x³ with a derivative, right or wrong.
inline Expr cube(Arg x, Rule derivative) {
  return planted(x, each([](double v) { return v * v * v; }),
                 [=](const Expr& in, const Expr& y, const Expr& c) { return c * derivative(in, y, c); });
}

/// a·b² with a rule for both.
inline Expr product(Arg a, Arg b, std::function<std::vector<Expr>(const Vjp&)> rule) {
  auto op = std::make_shared<Planted>();
  op->value = [](const double* const* x, double* y, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) y[i] = x[0][i] * x[1][i] * x[1][i];
  };
  op->rule = std::move(rule);
  const Arg operands[] = {a, {broadcast_to(b, a.expr.shape()), b.where}};
  return make_node(std::move(op), operands);
}

/// A vector that is 0 but for one entry, in the graph of `like`.
inline Expr at_index(const Expr& like, std::int64_t count, std::size_t index, double value) {
  std::vector<double> values(static_cast<std::size_t>(count), 0.0);
  values[index] = value;
  return like.graph().constant({count}, values);
}

inline constexpr GradientCheckOptions fast{.mode = GradientCheckOptions::Mode::fast};
inline constexpr GradientCheckOptions second{.order = 2};

/// Checks at given values, and standard normal ones for the others.
inline GradientReport check(const Expr& expr, const GradientCheckOptions& options = {},
                            const Point& point = {}, std::int64_t batch = 3) {
  return check_gradient(expr, random_point(expr, batch, 1, point), batch, options);
}

/// The names of the broken properties.
inline std::string broken(const GradientReport& report) {
  std::string names;
  for (const auto& property : report.properties)
    if (!property.ok) names += (names.empty() ? "" : ", ") + property.name;
  return names;
}

inline bool agrees_with_differences(const GradientReport& report) {
  return std::ranges::all_of(report.tensors, &CheckedTensor::ok);
}

}  // namespace gradus::test
