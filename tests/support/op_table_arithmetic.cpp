#include <cmath>

#include "tests/support/op_table.hpp"

// Arithmetic, powers and exponentials, with the shapes of broadcasting.
namespace gradus::test {

std::vector<OpRow> arithmetic_rows() {
  const auto plus = pointwise([](double a, double b) { return a + b; });
  const auto minus = pointwise([](double a, double b) { return a - b; });
  const auto times = pointwise([](double a, double b) { return a * b; });
  const auto over = pointwise([](double a, double b) { return a / b; });
  const auto add = on([](Expr a, Expr b) { return a + b; });
  const auto sub = on([](Expr a, Expr b) { return a - b; });
  const auto mul = on([](Expr a, Expr b) { return a * b; });
  const auto weigh = on([](Expr a, Expr b) { return weighted(a, b); });
  const auto div = on([](Expr a, Expr b) { return a / b; });
  return {
      {.op = "add", .inputs = {in({B, 4}), in({B, 4})}, .build = add, .reference = plus},
      {.op = "add", .label = "row", .inputs = {in({B, 3}), in({3})}, .build = add, .reference = plus},
      {.op = "add", .label = "column", .inputs = {in({B, 1}), in({B, 3})}, .build = add, .reference = plus},
      {.op = "add", .label = "scalar", .inputs = {in({}), in({B, 2})}, .build = add, .reference = plus},
      {.op = "add", .label = "scalars", .inputs = {in({}), in({})}, .build = add, .reference = plus},
      {.op = "add", .label = "outer", .inputs = {in({B, 1}), in({3})}, .build = add, .reference = plus},
      {.op = "add",
       .label = "batch_plus_one",
       .inputs = {in({B + 1, 4}), in({4})},
       .build = add,
       .reference = plus,
       .mixes_batch = true},
      {.op = "add",
       .label = "itself",
       .inputs = {in({B, 3})},
       .build = on([](Expr x) { return x + x; }),
       .reference = pointwise([](double x) { return 2 * x; })},

      {.op = "sub", .inputs = {in({B, 4}), in({B, 4})}, .build = sub, .reference = minus},
      {.op = "sub", .label = "row", .inputs = {in({3}), in({B, 3})}, .build = sub, .reference = minus},
      {.op = "sub",
       .label = "from_number",
       .inputs = {in({B, 3})},
       .build = on([](Expr x) { return 3 - x; }),
       .reference = pointwise([](double x) { return 3 - x; })},

      {.op = "mul", .inputs = {in({B, 4}), in({B, 4})}, .build = mul, .reference = times},
      {.op = "mul", .label = "column", .inputs = {in({B, 3}), in({B, 1})}, .build = mul, .reference = times},
      {.op = "mul", .label = "outer", .inputs = {in({3}), in({B, 1})}, .build = mul, .reference = times},
      {.op = "mul", .label = "scalar", .inputs = {in({B, 2}), in({})}, .build = mul, .reference = times},
      {.op = "mul",
       .label = "middle",
       .inputs = {in({B, 1, 2}), in({3, 1})},
       .build = mul,
       .reference = times},
      // Wider than a tile of a fused block at batch 17.
      {.op = "mul", .label = "wide", .inputs = {in({B, 131}), in({131})}, .build = mul, .reference = times},
      {.op = "mul",
       .label = "itself",
       .inputs = {in({B, 3})},
       .build = on([](Expr x) { return x * x; }),
       .reference = pointwise([](double x) { return x * x; })},
      {.op = "mul",
       .label = "number",
       .inputs = {in({B, 3})},
       .build = on([](Expr x) { return x * -2.5; }),
       .reference = pointwise([](double x) { return x * -2.5; })},

      {.op = "weighted", .inputs = {in({B, 4}), in({B, 4})}, .build = weigh, .reference = times},
      {.op = "weighted",
       .label = "column",
       .inputs = {in({B, 1}), in({B, 3})},
       .build = weigh,
       .reference = times},
      {.op = "weighted_both",
       .inputs = {in({B, 4}), in({B, 4})},
       .build = on([](Expr a, Expr b) { return weighted_both(a, b); }),
       .reference = times},
      {.op = "weighted",
       .label = "number",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return weighted(-2.5, x); }),
       .reference = pointwise([](double x) { return -2.5 * x; })},
      {.op = "div", .inputs = {in({B, 4}), in({B, 4}, between(0.5, 2))}, .build = div, .reference = over},
      {.op = "div",
       .label = "negative",
       .inputs = {in({B, 4}), in({4}, between(-2, -0.5))},
       .build = div,
       .reference = over},
      {.op = "div",
       .label = "wide_column",
       .inputs = {in({B, 131}), in({B, 1}, between(0.5, 2))},
       .build = div,
       .reference = over},
      {.op = "div",
       .label = "of_number",
       .inputs = {in({B, 3}, between(0.5, 2))},
       .build = on([](Expr x) { return 1 / x; }),
       .reference = pointwise([](double x) { return 1 / x; })},

      {.op = "neg",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return -x; }),
       .reference = pointwise([](double x) { return -x; })},

      {.op = "exp",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return exp(x); }),
       .reference = pointwise([](double x) { return std::exp(x); })},
      {.op = "log",
       .inputs = {in({B, 4}, between(0.5, 4))},
       .build = on([](Expr x) { return log(x); }),
       .reference = pointwise([](double x) { return std::log(x); })},
      {.op = "log1p",
       .inputs = {in({B, 4}, between(-0.5, 3))},
       .build = on([](Expr x) { return log1p(x); }),
       .reference = pointwise([](double x) { return std::log1p(x); })},
      {.op = "log1p",
       .label = "tiny",
       .inputs = {in({B, 4}, between(-1e-12, 1e-12))},
       .build = on([](Expr x) { return log1p(x); }),
       .reference = pointwise([](double x) { return x - x * x / 2; })},
      {.op = "expm1",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return expm1(x); }),
       .reference = pointwise([](double x) { return std::expm1(x); })},
      {.op = "expm1",
       .label = "tiny",
       .inputs = {in({B, 4}, between(-1e-12, 1e-12))},
       .build = on([](Expr x) { return expm1(x); }),
       .reference = pointwise([](double x) { return x + x * x / 2; })},

      {.op = "sqrt",
       .inputs = {in({B, 4}, between(0.5, 4))},
       .build = on([](Expr x) { return sqrt(x); }),
       .reference = pointwise([](double x) { return std::sqrt(x); })},
      {.op = "square",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return square(x); }),
       .reference = pointwise([](double x) { return x * x; })},
      {.op = "pow_number",
       .label = "cube",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return pow(x, 3); }),
       .reference = pointwise([](double x) { return x * x * x; })},
      {.op = "pow_number",
       .label = "inverse",
       .inputs = {in({B, 4}, between(-2, -0.5))},
       .build = on([](Expr x) { return pow(x, -1); }),
       .reference = pointwise([](double x) { return 1 / x; })},
      {.op = "pow_number",
       .label = "fraction",
       .inputs = {in({B, 4}, between(0.5, 2))},
       .build = on([](Expr x) { return pow(x, -1.5); }),
       .reference = pointwise([](double x) { return 1 / (x * std::sqrt(x)); })},
      {.op = "pow",
       .inputs = {in({B, 4}, between(0.5, 2)), in({B, 4})},
       .build = on([](Expr a, Expr b) { return pow(a, b); }),
       .reference = pointwise([](double a, double b) { return std::exp(b * std::log(a)); })},
      {.op = "pow",
       .label = "of_number",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return pow(2, x); }),
       .reference = pointwise([](double x) { return std::exp2(x); })},
      {.op = "pow",
       .label = "row",
       .inputs = {in({B, 3}, between(0.5, 2)), in({3})},
       .build = on([](Expr a, Expr b) { return pow(a, b); }),
       .reference = pointwise([](double a, double b) { return std::exp(b * std::log(a)); })},

      {.op = "sgd_step",
       .inputs = {in({B, 3}), in({B, 3}), in({})},
       .build = on([](Expr w, Expr g, Expr rate) { return sgd_step(w, g, rate); }),
       .reference = pointwise([](double w, double g, double rate) { return w - g * rate; })},
      {.op = "moving_average",
       .inputs = {in({B, 3}), in({3})},
       .build = on([](Expr m, Expr x) { return moving_average(m, x, 0.75); }),
       .reference = pointwise([](double m, double x) { return m + 0.25 * (x - m); })},
      {.op = "moving_square",
       .inputs = {in({B, 3}), in({B, 3})},
       .build = on([](Expr m, Expr x) { return moving_square(m, x, 0.75); }),
       .reference = pointwise([](double m, double x) { return m + 0.25 * (x * x - m); })},
      {.op = "adaptive_step",
       .inputs = {in({B, 3}), in({B, 3}), in({B, 3}, between(0.5, 2)), in({}), in({}, between(0.1, 1))},
       .build = on([](Expr w, Expr m, Expr v, Expr rate, Expr epsilon) {
         return adaptive_step(w, m, v, rate, epsilon);
       }),
       .reference = pointwise([](double w, double m, double v, double rate, double epsilon) {
         return w - m / (std::sqrt(v) + epsilon) * rate;
       })},
      {.op = "adaptive_step",
       .label = "without_scalars",
       .inputs = {in({3}), in({B, 3}), in({B, 3}, between(0.5, 2)), in({B, 3}), in({B, 1}, between(0.1, 1))},
       .build = on([](Expr w, Expr m, Expr v, Expr rate, Expr epsilon) {
         return adaptive_step(w, m, v, rate, epsilon);
       }),
       .reference = pointwise([](double w, double m, double v, double rate, double epsilon) {
         return w - m / (std::sqrt(v) + epsilon) * rate;
       })},
      {.op = "adam_step",
       .inputs = {in({B, 3}), in({B, 3}), in({B, 3}, between(0.5, 2)), in({B, 3}), in({}),
                  in({}, between(0.1, 1))},
       .build = on([](Expr w, Expr m, Expr v, Expr g, Expr rate, Expr epsilon) {
         return adam_step(w, m, v, g, rate, epsilon, 0.75, 0.875).w;
       }),
       .reference = pointwise([](double w, double m, double v, double g, double rate, double epsilon) {
         const double next_m = m + 0.25 * (g - m), next_v = v + 0.125 * (g * g - v);
         return w - next_m / (std::sqrt(next_v) + epsilon) * rate;
       })},
      {.op = "adam_step",
       .label = "all_outputs",
       .inputs = {in({3}), in({B, 3}), in({B, 3}, between(0.5, 2)), in({B, 3}), in({B, 3}),
                  in({B, 1}, between(0.1, 1))},
       .build = on([](Expr w, Expr m, Expr v, Expr g, Expr rate, Expr epsilon) {
         const AdamStep step = adam_step(w, m, v, g, rate, epsilon, 0.75, 0.875);
         return step.w * step.m + step.v;
       }),
       .reference = pointwise([](double w, double m, double v, double g, double rate, double epsilon) {
         const double next_m = m + 0.25 * (g - m), next_v = v + 0.125 * (g * g - v);
         return (w - next_m / (std::sqrt(next_v) + epsilon) * rate) * next_m + next_v;
       })},
  };
}

}  // namespace gradus::test
