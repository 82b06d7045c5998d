#include <algorithm>

#include "forms.hpp"

namespace gradus::fuzz {

namespace {

// Elementwise ops take their largest and least values at the ends of their operands' ranges, or at 0.
Facts elementwise_facts(const Form& form, const Site& site, Samples samples) {
  std::vector<std::vector<double>> corners;
  for (const Facts& f : site.in) {
    corners.push_back({f.low});
    if (f.high > f.low) corners.back().push_back(f.high);
    if (f.low < 0 && f.high > 0) corners.back().push_back(0);
  }
  std::size_t count = 1;
  for (const auto& c : corners) count *= c.size();
  Graph graph;
  Exprs in;
  std::size_t repeat = 1;
  for (const auto& c : corners) {
    std::vector<double> values;
    for (std::size_t i = 0; i < count; ++i) values.push_back(c[i / repeat % c.size()]);
    repeat *= c.size();
    in.push_back(graph.constant({static_cast<std::int64_t>(count)}, values));
  }
  const Expr built = form.build(graph, site.step, "", in);
  const auto [low, high] = std::ranges::minmax(interpret(graph, {}, 1)[static_cast<std::size_t>(built.id())]);
  return {low, high, samples};
}

Facts nonlinear_facts(const Form& form, const Site& site) {
  return elementwise_facts(form, site, rowwise(site));
}
// Which has an extremum at y = ½, too.
Facts sigmoid_grad_facts(const Form& form, const Site& site) {
  Facts facts = nonlinear_facts(form, site);
  facts.low = std::min(facts.low, site.in[0].low / 4);
  facts.high = std::max(facts.high, site.in[0].high / 4);
  return facts;
}
// It has its minimum in between.
Facts logistic_loss_facts(const Form& form, const Site& site) {
  Facts facts = nonlinear_facts(form, site);
  facts.low = 0;
  return facts;
}
// Between −1 and 1, wherever its extrema are.
Facts wave_facts(const Form&, const Site& site) { return {-1, 1, rowwise(site)}; }
// Which has its minimum of -0.17 in between.
Facts gelu_facts(const Form& form, const Site& site) {
  Facts facts = nonlinear_facts(form, site);
  facts.low = std::min(facts.low, -0.1701);
  return facts;
}
Facts linear_facts(const Form& form, const Site& site) { return elementwise_facts(form, site, linear(site)); }
Facts product_facts(const Form& form, const Site& site) {
  return elementwise_facts(form, site, linear(site, true));
}
Facts quotient_facts(const Form& form, const Site& site) {
  const bool scaled = site.in[1].samples == Samples::shared;
  return elementwise_facts(form, site, scaled ? linear(site, true) : rowwise(site));
}
Facts choice_facts(const Form&, const Site& site) { return {0, 1, rowwise(site)}; }

using DrawNumbers = std::function<std::vector<double>(Maker&)>;
using FindFacts = Facts (*)(const Form&, const Site&);

Form unary(std::string op, std::string text, Domain domain, Expr (*f)(const Expr&),
           FindFacts facts = nonlinear_facts) {
  return {.op = std::move(op),
          .text = std::move(text),
          .build = [f](Graph&, const Step&, const std::string&, const Exprs& in) { return f(in[0]); },
          .facts = facts,
          .draw = [domain](Maker& maker) { return Step{.in = {maker.value(domain)}}; }};
}

Form with_numbers(std::string op, std::string text, Domain domain,
                  Expr (*f)(const Expr&, const std::vector<double>&), DrawNumbers numbers) {
  return {.op = std::move(op),
          .text = std::move(text),
          .build = [f](Graph&, const Step& s, const std::string&,
                       const Exprs& in) { return f(in[0], s.numbers); },
          .facts = nonlinear_facts,
          .draw = [domain, numbers](
                      Maker& maker) { return Step{.in = {maker.value(domain)}, .numbers = numbers(maker)}; }};
}

Form binary(std::string op, std::string text, Domain first, Domain second,
            Expr (*f)(const Expr&, const Expr&), FindFacts facts = nonlinear_facts) {
  return {.op = std::move(op),
          .text = std::move(text),
          .build = [f](Graph&, const Step&, const std::string&, const Exprs& in) { return f(in[0], in[1]); },
          .facts = facts,
          .draw =
              [first, second](Maker& maker) {
                // Either operand may be the wider one, or a number.
                const bool turned = maker.chance(0.5);
                const std::size_t a = maker.value(turned ? second : first);
                const std::size_t b = maker.partner(a, turned ? first : second);
                return Step{.in = turned ? std::vector{b, a} : std::vector{a, b}};
              }};
}

Form comparison(std::string op, std::string text, Expr (*f)(const Expr&, const Expr&)) {
  return binary(std::move(op), std::move(text), any, any, f, choice_facts);
}

Form where_form() {
  return {
      .op = "where",
      .text = "where($0, $1, $2)",
      .build = [](Graph&, const Step&, const std::string&,
                  const Exprs& in) { return where(in[0], in[1], in[2]); },
      .facts = nonlinear_facts,
      .draw =
          [](Maker& maker) {
            const std::size_t yes = maker.value();
            // A condition that is mostly not 0 would choose the same side everywhere.
            const auto fits = [&](std::size_t i) {
              return maker.within(i, {0, 1}) && maker.shape(i) == maker.shape(yes);
            };
            const auto choice = maker.value_where(fits);
            return Step{.in = {choice ? *choice : maker.partner(yes, any, false), yes, maker.partner(yes)}};
          }};
}

// The first operand has the shape of the result.
Form several(std::string op, std::string text, std::vector<Domain> domains, Expr (*f)(const Exprs&),
             FindFacts facts) {
  return {.op = std::move(op),
          .text = std::move(text),
          .build = [f](Graph&, const Step&, const std::string&, const Exprs& in) { return f(in); },
          .facts = facts,
          .draw =
              [domains](Maker& maker) {
                std::vector<std::size_t> in{maker.value(domains[0])};
                for (std::size_t i = 1; i < domains.size(); ++i)
                  in.push_back(maker.partner(in[0], domains[i]));
                return Step{.in = in};
              }};
}

Form stop_gradient_form() {
  Form form = unary(
      "stop_gradient", "stop_gradient($0)", any, [](const Expr& x) { return stop_gradient(x); },
      linear_facts);
  // Gradients of what is in front of it cannot be checked by differences: less often than others.
  form.draw = [](Maker& maker) -> std::optional<Step> {
    if (maker.chance(0.7)) return std::nullopt;
    return Step{.in = {maker.value()}};
  };
  return form;
}

template <std::size_t N> DrawNumbers one_of_these(const double (&numbers)[N]) {
  return [all = std::vector<double>(numbers, numbers + N)](Maker& maker) {
    return std::vector{maker.one_of(all)};
  };
}

}  // namespace

std::vector<Form> elementwise_forms() {
  constexpr double slopes[] = {0.01, 0.25, -0.5, 1};
  constexpr double whole_powers[] = {0, 1, 2, 3, 4};
  constexpr double powers[] = {-2, -1.5, -1, 0.5, 1.5, 2.5};
  const auto power = [](const Expr& x, const std::vector<double>& p) { return pow(x, p[0]); };
  return {
      unary(
          "neg", "-$0", any, [](const Expr& x) { return -x; }, linear_facts),
      unary("exp", "exp($0)", moderate, [](const Expr& x) { return exp(x); }),
      unary("log", "log($0)", positive, [](const Expr& x) { return log(x); }),
      unary("log1p", "log1p($0)", above_minus_one, [](const Expr& x) { return log1p(x); }),
      unary("expm1", "expm1($0)", moderate, [](const Expr& x) { return expm1(x); }),
      unary("sqrt", "sqrt($0)", positive, [](const Expr& x) { return sqrt(x); }),
      unary("square", "square($0)", moderate, [](const Expr& x) { return square(x); }),
      unary(
          "sin", "sin($0)", any, [](const Expr& x) { return sin(x); }, wave_facts),
      unary(
          "cos", "cos($0)", any, [](const Expr& x) { return cos(x); }, wave_facts),
      unary("tan", "tan($0)", {-1.2, 1.2}, [](const Expr& x) { return tan(x); }),
      unary("asin", "asin($0)", {-0.9, 0.9}, [](const Expr& x) { return asin(x); }),
      unary("acos", "acos($0)", {-0.9, 0.9}, [](const Expr& x) { return acos(x); }),
      unary("atan", "atan($0)", any, [](const Expr& x) { return atan(x); }),
      unary("sinh", "sinh($0)", moderate, [](const Expr& x) { return sinh(x); }),
      unary("cosh", "cosh($0)", moderate, [](const Expr& x) { return cosh(x); }),
      unary("erf", "erf($0)", any, [](const Expr& x) { return erf(x); }),
      unary("erfc", "erfc($0)", moderate, [](const Expr& x) { return erfc(x); }),
      unary("gaussian", "gaussian($0)", moderate, [](const Expr& x) { return gaussian(x); }),
      unary("normal_cdf", "normal_cdf($0)", moderate, [](const Expr& x) { return normal_cdf(x); }),
      unary(
          "gelu", "gelu($0)", any, [](const Expr& x) { return gelu(x); }, gelu_facts),
      unary(
          "gelu_tanh", "gelu_tanh($0)", any, [](const Expr& x) { return gelu_tanh(x); }, gelu_facts),
      unary("relu", "relu($0)", any, [](const Expr& x) { return relu(x); }),
      unary("sigmoid", "sigmoid($0)", any, [](const Expr& x) { return sigmoid(x); }),
      unary("tanh", "tanh($0)", any, [](const Expr& x) { return tanh(x); }),
      unary("softplus", "softplus($0)", any, [](const Expr& x) { return softplus(x); }),
      unary("abs", "abs($0)", any, [](const Expr& x) { return abs(x); }),
      stop_gradient_form(),
      with_numbers(
          "leaky_relu", "leaky_relu($0, #0)", any,
          [](const Expr& x, const std::vector<double>& n) { return leaky_relu(x, n[0]); },
          one_of_these(slopes)),
      with_numbers(
          "elu", "elu($0, #0)", any, [](const Expr& x, const std::vector<double>& n) { return elu(x, n[0]); },
          one_of_these(slopes)),
      with_numbers(
          "clip", "clip($0, #0, #1)", any,
          [](const Expr& x, const std::vector<double>& n) { return clip(x, n[0], n[1]); },
          [](Maker& maker) {
            return std::vector{maker.number(-2, 0.1), maker.number(0.1, 2)};
          }),
      with_numbers("pow_number", "pow($0, #0)", {-1.75, 1.75}, power, one_of_these(whole_powers)),
      with_numbers("pow_number", "pow($0, #0)", base, power, one_of_these(powers)),
      with_numbers("pow_number", "pow($0, #0)", {-3, -0.25}, power,
                   [](Maker& maker) { return std::vector{maker.chance(0.5) ? -1.0 : -2.0}; }),
      binary(
          "add", "$0 + $1", any, any, [](const Expr& a, const Expr& b) { return a + b; }, linear_facts),
      binary(
          "sub", "$0 - $1", any, any, [](const Expr& a, const Expr& b) { return a - b; }, linear_facts),
      binary(
          "mul", "$0 * $1", any, any, [](const Expr& a, const Expr& b) { return a * b; }, product_facts),
      binary(
          "weighted", "weighted($0, $1)", any, any,
          [](const Expr& a, const Expr& b) { return weighted(a, b); }, product_facts),
      binary(
          "weighted_both", "weighted_both($0, $1)", any, any,
          [](const Expr& a, const Expr& b) { return weighted_both(a, b); }, product_facts),
      binary(
          "logistic_loss", "logistic_loss($0, $1)", moderate, probability,
          [](const Expr& x, const Expr& t) { return logistic_loss(x, t); }, logistic_loss_facts),
      binary("sigmoid_minus", "sigmoid_minus($0, $1)", any, probability,
             [](const Expr& x, const Expr& t) { return sigmoid_minus(x, t); }),
      binary(
          "div", "$0 / $1", any, positive, [](const Expr& a, const Expr& b) { return a / b; },
          quotient_facts),
      binary(
          "div", "$0 / $1", any, {-4, -0.25}, [](const Expr& a, const Expr& b) { return a / b; },
          quotient_facts),
      binary("pow", "pow($0, $1)", base, {-1.5, 1.5}, [](const Expr& a, const Expr& b) { return pow(a, b); }),
      binary("atan2", "atan2($0, $1)", any, positive,
             [](const Expr& a, const Expr& b) { return atan2(a, b); }),
      binary("maximum", "maximum($0, $1)", any, any,
             [](const Expr& a, const Expr& b) { return maximum(a, b); }),
      binary("minimum", "minimum($0, $1)", any, any,
             [](const Expr& a, const Expr& b) { return minimum(a, b); }),
      comparison("less", "$0 < $1", [](const Expr& a, const Expr& b) { return a < b; }),
      comparison("less", "$0 > $1", [](const Expr& a, const Expr& b) { return a > b; }),
      comparison("less_equal", "$0 <= $1", [](const Expr& a, const Expr& b) { return a <= b; }),
      comparison("less_equal", "$0 >= $1", [](const Expr& a, const Expr& b) { return a >= b; }),
      comparison("equal", "equal($0, $1)", [](const Expr& a, const Expr& b) { return equal(a, b); }),
      comparison("not_equal", "not_equal($0, $1)",
                 [](const Expr& a, const Expr& b) { return not_equal(a, b); }),
      where_form(),
      several(
          "sigmoid_grad", "sigmoid_grad($0, $1)", {moderate, moderate},
          [](const Exprs& in) { return sigmoid_grad(in[0], in[1]); }, sigmoid_grad_facts),
      several(
          "tanh_grad", "tanh_grad($0, $1)", {moderate, moderate},
          [](const Exprs& in) { return tanh_grad(in[0], in[1]); }, nonlinear_facts),
      several(
          "sgd_step", "sgd_step($0, $1, $2)", {any, any, any},
          [](const Exprs& in) { return sgd_step(in[0], in[1], in[2]); }, nonlinear_facts),
      several(
          "moving_average", "moving_average($0, $1, 0.75)", {any, any},
          [](const Exprs& in) { return moving_average(in[0], in[1], 0.75); }, nonlinear_facts),
      several(
          "moving_square", "moving_square($0, $1, 0.75)", {any, moderate},
          [](const Exprs& in) { return moving_square(in[0], in[1], 0.75); }, nonlinear_facts),
      several(
          "adaptive_step", "adaptive_step($0, $1, $2, $3, $4)", {any, any, positive, any, positive},
          [](const Exprs& in) { return adaptive_step(in[0], in[1], in[2], in[3], in[4]); }, nonlinear_facts),
      several(
          "sigmoid_of_sum", "sigmoid_of_sum($0, $1)", {any, any},
          [](const Exprs& in) { return sigmoid_of_sum(in[0], in[1]); }, nonlinear_facts),
      several(
          "adam_step", "adam_step($0, $1, $2, $3, 0.25, 0.5, 0.9, 0.75).w", {any, any, positive, moderate},
          [](const Exprs& in) { return adam_step(in[0], in[1], in[2], in[3], 0.25, 0.5, 0.9, 0.75).w; },
          nonlinear_facts),
      several(
          "adam_step", "adam_step($0, $1, $2, $3, 0.25, 0.5, 0.9, 0.75).v", {any, any, positive, moderate},
          [](const Exprs& in) { return adam_step(in[0], in[1], in[2], in[3], 0.25, 0.5, 0.9, 0.75).v; },
          nonlinear_facts),
  };
}

}  // namespace gradus::fuzz
