#include <algorithm>
#include <cmath>

#include "forms.hpp"
#include "gradus/autodiff/gradient.hpp"

namespace gradus::fuzz {

namespace {

// Is the batch among the axes that go?
bool reduces_batch(const Site& site) {
  const Shape& from = site.shapes[0];
  return std::ranges::any_of(site.step.axes, [&](std::int64_t axis) {
    return !from[resolve_axis(axis, from.rank())].is_constant();
  });
}

// How many elements become one: from as many for a single sample to as many for the batch.
std::pair<double, double> counts(const Site& site) {
  const auto count = [&](std::int64_t batch) {
    double product = 1;
    for (const auto axis : site.step.axes)
      product *=
          static_cast<double>(site.shapes[0][resolve_axis(axis, site.shapes[0].rank())].resolve(batch));
    return product;
  };
  return {count(1), count(site.batch)};
}

// `whole`: what rows over the batch become.
Samples reduced_samples(const Site& site, Samples whole) {
  if (!reduces_batch(site)) return whole == Samples::mixed ? rowwise(site) : linear(site);
  return site.in[0].samples == Samples::rows && site.shape.is_constant() ? whole : Samples::mixed;
}

Facts sum_facts(const Form&, const Site& site) {
  const auto [least, most] = counts(site);
  const Facts& x = site.in[0];
  return {std::min(x.low * least, x.low * most), std::max(x.high * least, x.high * most),
          reduced_samples(site, Samples::sum)};
}
Facts mean_facts(const Form&, const Site& site) { return hull(site, reduced_samples(site, Samples::mean)); }
Facts max_facts(const Form&, const Site& site) { return hull(site, reduced_samples(site, Samples::mixed)); }
Facts norm_facts(const Form&, const Site& site) {
  const double largest = std::max(std::abs(site.in[0].low), std::abs(site.in[0].high));
  return {0, largest * std::sqrt(counts(site).second), reduced_samples(site, Samples::mixed)};
}
// Factors of at most 1.
Facts prod_facts(const Form&, const Site& site) { return {-1, 1, reduced_samples(site, Samples::mixed)}; }
Facts recurrence_facts(const Form&, const Site& site) {
  const double largest = counts(site).second * std::max(std::abs(site.in[1].low), std::abs(site.in[1].high));
  return {std::min(-largest, 1.0), std::max(largest, 1.0) + 1,
          reduces_batch(site) ? Samples::mixed : rowwise(site)};
}
Facts logsumexp_facts(const Form&, const Site& site) {
  const auto [least, most] = counts(site);
  return {site.in[0].low + std::log(least), site.in[0].high + std::log(most),
          reduced_samples(site, Samples::mixed)};
}
Facts softmax_facts(const Form&, const Site& site) { return {0, 1, reduced_samples(site, Samples::mixed)}; }
Facts log_softmax_facts(const Form&, const Site& site) {
  return {site.in[0].low - site.in[0].high - std::log(counts(site).second), 0,
          reduced_samples(site, Samples::mixed)};
}

Facts softmax_grad_facts(const Form&, const Site& site) {
  const double most =
      std::max(std::abs(site.in[0].low), std::abs(site.in[0].high)) * (1 + counts(site).second);
  return {-most, most, reduced_samples(site, Samples::mixed)};
}

std::optional<std::size_t> of_rank(Maker& maker, std::size_t least, Domain domain) {
  const auto found = maker.value_where([&](std::size_t i) { return maker.shape(i).rank() >= least; });
  if (!found) return std::nullopt;
  return maker.brought_into(*found, domain);
}

std::int64_t random_axis(Maker& maker, std::size_t rank) {
  const auto axis = static_cast<std::int64_t>(maker.below(rank));
  return maker.chance(0.3) ? axis - static_cast<std::int64_t>(rank) : axis;
}

Form reduction(std::string op, Expr (*f)(Arg, const Axes&, bool), Facts (*facts)(const Form&, const Site&),
               Domain domain = any) {
  return {.op = op,
          .text = op + "($0, ~*, ?0)",
          .build = [f](Graph&, const Step& s, const std::string&,
                       const Exprs& in) { return f(in[0], s.axes, s.flags[0]); },
          .facts = facts,
          .draw = [domain](Maker& maker) -> std::optional<Step> {
            const auto x = of_rank(maker, 1, domain);
            if (!x) return std::nullopt;
            Step step{.in = {*x}, .flags = {maker.chance(0.4)}};
            const std::size_t rank = maker.shape(*x).rank();
            for (std::size_t axis = 0; axis < rank; ++axis) {
              // In a third of all cases it is the last axis, then any of the others, mostly few.
              const bool wanted =
                  axis + 1 == rank ? step.axes.empty() || maker.chance(0.5) : maker.chance(0.4);
              const bool from_end = maker.chance(0.3);
              if (wanted)
                step.axes.push_back(static_cast<std::int64_t>(axis) -
                                    (from_end ? static_cast<std::int64_t>(rank) : 0));
            }
            return step;
          }};
}

Form along_axis(std::string op, Expr (*f)(Arg, std::int64_t), Facts (*facts)(const Form&, const Site&)) {
  return {.op = op,
          .text = op + "($0, ~0)",
          .build = [f](Graph&, const Step& s, const std::string&,
                       const Exprs& in) { return f(in[0], s.axes[0]); },
          .facts = facts,
          .draw = [](Maker& maker) -> std::optional<Step> {
            const auto x = of_rank(maker, 1, any);
            if (!x) return std::nullopt;
            return Step{.in = {*x}, .axes = {random_axis(maker, maker.shape(*x).rank())}};
          }};
}

// Its op is what the gradient of log_softmax is made of.
Form softmax_grad_form() {
  return {.op = "less_mean",
          .text = "vjp(std::vector{log_softmax($1, ~0)}, std::vector{$0}, std::vector{$1})[0]",
          .build =
              [](Graph&, const Step& s, const std::string&, const Exprs& in) {
                return vjp(Exprs{log_softmax(in[1], s.axes[0])}, Exprs{in[0]}, Exprs{in[1]})[0];
              },
          .facts = softmax_grad_facts,
          .draw = [](Maker& maker) -> std::optional<Step> {
            const auto c = of_rank(maker, 1, any);
            if (!c) return std::nullopt;
            return Step{.in = {*c, maker.shaped(maker.shape(*c), any)},
                        .axes = {random_axis(maker, maker.shape(*c).rank())}};
          }};
}

Form recurrence_form() {
  return {.op = "linear_recurrence",
          .text = "linear_recurrence($0, $1, ~0, {.first = 1, .from_the_end = ?0})",
          .build =
              [](Graph&, const Step& s, const std::string&, const Exprs& in) {
                return linear_recurrence(in[0], in[1], s.axes[0], {.first = 1, .from_the_end = s.flags[0]});
              },
          .facts = recurrence_facts,
          .draw = [](Maker& maker) -> std::optional<Step> {
            const auto x = of_rank(maker, 1, {-1, 1});
            if (!x) return std::nullopt;
            return Step{.in = {*x, maker.shaped(maker.shape(*x), any)},
                        .axes = {random_axis(maker, maker.shape(*x).rank())},
                        .flags = {maker.chance(0.5)}};
          }};
}

Facts matmul_facts(const Form&, const Site& site) {
  const bool ta = site.step.flags[0], tb = site.step.flags[1];
  const Dim inner = site.shapes[0][ta ? 0 : 1];
  const Facts &a = site.in[0], &b = site.in[1];
  const double largest = std::max(std::abs(a.low), std::abs(a.high)) *
                         std::max(std::abs(b.low), std::abs(b.high)) *
                         static_cast<double>(inner.resolve(site.batch));
  Facts facts{-largest, largest, Samples::mixed};
  const bool rows_a = a.samples == Samples::rows, rows_b = b.samples == Samples::rows;
  if (!inner.is_constant()) {
    // A product over the batch is a sum over samples.
    if (rows_a && rows_b && site.shape.is_constant()) facts.samples = Samples::sum;
  } else if (rows_a != rows_b || (!rows_a && !rows_b)) {
    const bool others_shared = (rows_a ? b : a).samples == Samples::shared;
    if (rows_a || rows_b)
      facts.samples = others_shared && batch_axis(site.shape) ? Samples::rows : Samples::mixed;
    else
      facts.samples = linear(site, true);
  }
  (void)tb;
  return facts;
}

Form matmul_form() {
  return {.op = "matmul",
          .text = "matmul($0, $1, {.a = ?0, .b = ?1})",
          .build = [](Graph&, const Step& s, const std::string&,
                      const Exprs& in) { return matmul(in[0], in[1], {.a = s.flags[0], .b = s.flags[1]}); },
          .facts = matmul_facts,
          .draw = [](Maker& maker) -> std::optional<Step> {
            const auto is_matrix = [&](std::size_t i) { return maker.shape(i).rank() == 2; };
            auto a = maker.value_where(is_matrix);
            if (!a) return std::nullopt;
            a = maker.brought_into(*a, moderate);
            const bool ta = maker.chance(0.4), tb = maker.chance(0.4);
            const Dim inner = maker.shape(*a)[ta ? 0 : 1];
            std::optional<std::size_t> b;
            if (maker.chance(0.6))
              b = maker.value_where(
                  [&](std::size_t i) { return is_matrix(i) && maker.shape(i)[tb ? 1 : 0] == inner; });
            const Dim outer = maker.extent();
            if (!b) b = maker.leaf(tb ? Shape{outer, inner} : Shape{inner, outer});
            return Step{.in = {*a, maker.brought_into(*b, moderate)}, .flags = {ta, tb}};
          }};
}

// The samples of a loss: `whole` where they were rows.
Samples loss_samples(const Site& site, Samples whole) {
  bool rows = false;
  for (const Facts& f : site.in) {
    if (f.samples != Samples::rows && f.samples != Samples::shared) return Samples::mixed;
    rows = rows || f.samples == Samples::rows;
  }
  return rows ? whole : Samples::shared;
}

// Squares summed over all elements.
double largest_square(const Site& site) {
  const Facts &a = site.in[0], &b = site.in[1];
  const double off = std::max(a.high - b.low, b.high - a.low);
  return off * off;
}
double elements(const Site& site) {
  const Shape common = broadcast_shape(site.shapes[0], site.shapes[1]);
  return static_cast<double>(element_count(common.resolve(site.batch)));
}

// A product [B, 1] · [1, B] of samples is none of each.
bool regular(const Site& site) {
  const Shape common = broadcast_shape(site.shapes[0], site.shapes[1]);
  return common.is_constant() || batch_axis(common);
}

Form loss(std::string op, Expr (*f)(Arg, Arg), Domain target, Facts (*facts)(const Form&, const Site&)) {
  return {.op = op,
          .text = op + "($0, $1)",
          .build = [f](Graph&, const Step&, const std::string&, const Exprs& in) { return f(in[0], in[1]); },
          .facts = facts,
          .draw =
              [target](Maker& maker) {
                const std::size_t x = maker.value(moderate);
                return Step{.in = {x, maker.shaped(maker.shape(x), target)}};
              }};
}

Facts mse_facts(const Form&, const Site& site) {
  return {0, largest_square(site), regular(site) ? loss_samples(site, Samples::mean) : Samples::mixed};
}
Facts half_squared_error_facts(const Form&, const Site& site) {
  return {0, largest_square(site) * elements(site) / 2,
          regular(site) ? loss_samples(site, Samples::sum) : Samples::mixed};
}
Facts binary_cross_entropy_facts(const Form&, const Site& site) {
  return {0, std::max(std::abs(site.in[0].low), std::abs(site.in[0].high)) + 1,
          regular(site) ? loss_samples(site, Samples::mean) : Samples::mixed};
}

Facts cross_entropy_facts(const Form&, const Site& site) {
  const auto classes = static_cast<double>(site.shapes[0].back().resolve(site.batch));
  const double largest = site.in[0].high - site.in[0].low + std::log(classes);
  const bool labels = site.in[1].whole;
  return {0, largest * (labels ? 1 : classes), loss_samples(site, Samples::mean)};
}

Form cross_entropy_form(bool of_labels) {
  return {.op = "cross_entropy",
          .text = "cross_entropy($0, $1)",
          .build = [](Graph&, const Step&, const std::string&,
                      const Exprs& in) { return cross_entropy(in[0], in[1]); },
          .facts = cross_entropy_facts,
          .draw = [of_labels](Maker& maker) -> std::optional<Step> {
            const auto found = maker.value_where([&](std::size_t i) {
              const Shape& shape = maker.shape(i);
              return shape.rank() > 0 && shape.back().is_constant() && shape.back() != 1;
            });
            if (!found) return std::nullopt;
            const std::size_t x = maker.brought_into(*found, moderate);
            const Shape shape = maker.shape(x);
            if (!of_labels) return Step{.in = {x, maker.shaped(shape, probability)}};
            const Shape rows(std::vector<Dim>(shape.begin(), shape.end() - 1));
            return Step{.in = {x, maker.labels(rows, shape.back().constant())}};
          }};
}

}  // namespace

std::vector<Form> reduction_forms() {
  return {
      reduction("sum", sum, sum_facts),
      reduction("mean", mean, mean_facts),
      reduction("max", max, max_facts),
      reduction("min", min, max_facts),
      reduction("prod", prod, prod_facts, {-1, 1}),
      recurrence_form(),
      reduction("norm", norm, norm_facts),
      along_axis("logsumexp", logsumexp, logsumexp_facts),
      along_axis("softmax", softmax, softmax_facts),
      along_axis("log_softmax", log_softmax, log_softmax_facts),
      softmax_grad_form(),
      matmul_form(),
      matmul_form(),  // it is twice as important
      loss("mse", mse, moderate, mse_facts),
      loss("half_squared_error", half_squared_error, moderate, half_squared_error_facts),
      loss("binary_cross_entropy", binary_cross_entropy, probability, binary_cross_entropy_facts),
      cross_entropy_form(false),
      cross_entropy_form(true),
  };
}

}  // namespace gradus::fuzz
