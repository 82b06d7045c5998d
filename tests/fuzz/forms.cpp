#include "forms.hpp"

#include <algorithm>
#include <iterator>

#include "gradus/graph/node.hpp"
#include "gradus/nn/initializers.hpp"

namespace gradus::fuzz {

const std::vector<Form>& forms() {
  static const std::vector<Form> all = [] {
    std::vector<Form> table;
    for (const auto part : {leaf_forms, elementwise_forms, reduction_forms, structure_forms})
      for (Form& form : part()) table.push_back(std::move(form));
    return table;
  }();
  return all;
}

const Form& form_of(const std::string& op) {
  const auto found = std::ranges::find(forms(), op, &Form::op);
  if (found == forms().end()) throw Error("no form of " + op);
  return *found;
}

std::optional<std::size_t> batch_axis(const Shape& shape) {
  std::optional<std::size_t> found;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis].is_constant()) continue;
    if (found || shape[axis].constant() != 0) return std::nullopt;
    found = axis;
  }
  return found;
}

namespace {

bool all_are(const std::vector<Facts>& in, std::initializer_list<Samples> allowed) {
  return std::ranges::all_of(
      in, [&](const Facts& f) { return std::ranges::find(allowed, f.samples) != allowed.end(); });
}

}  // namespace

Samples rowwise(const Site& site) {
  if (!all_are(site.in, {Samples::shared, Samples::rows})) return Samples::mixed;
  if (site.shape.is_constant()) return all_are(site.in, {Samples::shared}) ? Samples::shared : Samples::mixed;
  return batch_axis(site.shape) ? Samples::rows : Samples::mixed;
}

Samples linear(const Site& site, bool product) {
  const Samples usual = rowwise(site);
  if (usual != Samples::mixed || !site.shape.is_constant()) return usual;
  if (product) {
    for (std::size_t i = 0; i < 2; ++i)
      if (site.in[1 - i].samples == Samples::shared && all_are({site.in[i]}, {Samples::sum, Samples::mean}))
        return site.in[i].samples;
    return Samples::mixed;
  }
  if (all_are(site.in, {Samples::sum})) return Samples::sum;
  return all_are(site.in, {Samples::shared, Samples::mean}) ? Samples::mean : Samples::mixed;
}

Facts hull(const Site& site, Samples samples) {
  Facts facts{site.in.front().low, site.in.front().high, samples};
  for (const Facts& f : site.in) {
    facts.low = std::min(facts.low, f.low);
    facts.high = std::max(facts.high, f.high);
  }
  return facts;
}

namespace {

Facts of_leaf(const Form& form, const Site& site) {
  const auto& values = site.step.numbers;
  Facts facts{leaf_domain.low, leaf_domain.high};
  if (!values.empty()) {
    const auto [low, high] = std::ranges::minmax(values);
    // Leaves that are no variables stay as they are; others may be moved.
    const bool fixed = form.kind == Form::Kind::constant || form.kind == Form::Kind::number;
    facts.low = fixed ? low : std::min(low, facts.low);
    facts.high = fixed ? high : std::max(high, facts.high);
  }
  if (!site.shape.is_constant()) facts.samples = batch_axis(site.shape) ? Samples::rows : Samples::mixed;
  return facts;
}

Facts of_labels(const Form&, const Site& site) {
  return {0, static_cast<double>(site.step.axes.front() - 1),
          site.shape.is_constant() ? Samples::shared
          : batch_axis(site.shape) ? Samples::rows
                                   : Samples::mixed,
          true};
}

Extents extents_of(const Shape& shape) { return shape.resolve(1); }

}  // namespace

std::vector<Form> leaf_forms() {
  const auto input = [](Graph& g, const Step& s, const std::string& name, const Exprs&) {
    return g.input(name, s.shape);
  };
  const auto constant = [](Graph& g, const Step& s, const std::string&, const Exprs&) {
    return g.constant(extents_of(s.shape), s.numbers);
  };
  using Kind = Form::Kind;
  return {
      {Kind::input, "input", "g.input(\"$n\", &)", input, of_leaf},
      {Kind::input, "labels", "g.input(\"$n\", &)", input, of_labels},
      {Kind::variable, "parameter", "g.parameter(\"$n\", &)",
       [](Graph& g, const Step& s, const std::string& name, const Exprs&) {
         return g.parameter(name, s.shape, values(s.numbers));
       },
       of_leaf},
      {Kind::variable, "state", "g.state(\"$n\", &)",
       [](Graph& g, const Step& s, const std::string& name, const Exprs&) {
         return g.state(name, s.shape, values(s.numbers));
       },
       of_leaf},
      {Kind::constant, "constant", "g.constant(&, #*)", constant, of_leaf},
      {Kind::constant, "constant_labels", "g.constant(&, #*)", constant, of_labels},
      {Kind::constant, "full", "g.full(&, #0)",
       [](Graph& g, const Step& s, const std::string&, const Exprs&) {
         return g.full(s.shape, s.numbers.front());
       },
       of_leaf},
      {Kind::constant, "full_dim", "g.full(&, Dim(^0))",
       [](Graph& g, const Step& s, const std::string&, const Exprs&) {
         return g.full(s.shape, s.dims.front());
       },
       [](const Form&, const Site& site) {
         // As it is for this batch, and for one sample.
         return Facts{static_cast<double>(site.step.dims.front().resolve(1)),
                      static_cast<double>(site.step.dims.front().resolve(site.batch)), Samples::mixed};
       }},
      {Kind::number, "number", "#0",
       [](Graph&, const Step& s, const std::string&, const Exprs&) { return Expr(s.numbers.front()); },
       of_leaf},
  };
}

}  // namespace gradus::fuzz
