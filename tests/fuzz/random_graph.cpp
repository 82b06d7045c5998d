#include "random_graph.hpp"

#include <algorithm>
#include <cmath>

#include "gradus/base/error.hpp"
#include "gradus/ops/reduction.hpp"

namespace gradus::fuzz {

namespace {

// Larger tensors would make the checks slow. Now and then there is one that is wider than a tile.
constexpr std::int64_t most_elements = 240;
constexpr std::int64_t most_elements_if_wide = 1500;

}  // namespace

Maker::Maker(std::uint64_t seed, const GeneratorOptions& options)
    : random_(seed, stream_of("graph")), built_(static_cast<std::int64_t>(below(5)) + 1, seed) {
  for (const Form& form : forms())
    if (form.draw != nullptr) forms_.push_back(&form);
  forms_.insert(forms_.end(), options.more.begin(), options.more.end());
  for (int i = 0; i < 3; ++i) extents_.push_back(static_cast<std::int64_t>(below(5)) + 1);
  if (chance(0.03)) extents_[0] = 60 + static_cast<std::int64_t>(below(90));
  // Small graphs are as useful as large ones, and faster.
  const double u = random_.uniform();
  ops_ = options.fewest_ops +
         static_cast<std::size_t>(u * u * static_cast<double>(options.most_ops - options.fewest_ops + 1));
  samplewise_ = chance(0.5);
}

double Maker::number(double low, double high) {
  return std::round(random_.uniform(low, high) * 0x1p20) * 0x1p-20;
}

bool Maker::within(std::size_t step, Domain domain) const {
  const Facts& facts = built_.facts[step];
  return facts.low >= domain.low && facts.high <= domain.high;
}

bool Maker::is_value(std::size_t step) const {
  return usable_[step] && !built_.is_number(step) && !built_.facts[step].whole;
}

std::int64_t Maker::extent() { return chance(0.15) ? 1 : one_of(extents_); }

Shape Maker::random_shape(bool batched) {
  std::vector<Dim> dims;
  constexpr std::size_t ranks[] = {0, 1, 1, 2, 2, 2, 2, 3, 3, 4};
  for (std::size_t left = one_of(ranks); left > 0; --left) dims.emplace_back(extent());
  if (!batched) return Shape(dims);
  if (dims.empty()) dims.emplace_back(1);
  // Mostly as users have it: the batch in front, and nothing but the batch.
  dims[chance(0.85) ? 0 : below(dims.size())] = chance(0.9) ? B : chance(0.5) ? 2 * B : B + 1;
  return Shape(dims);
}

std::size_t Maker::append(Step step) {
  const std::vector<std::size_t> in = step.in;
  const bool is_wide = std::ranges::max(extents_) > 5;
  const std::size_t number = built_.append(std::move(step));
  reads_.push_back(0);
  for (const std::size_t operand : in) ++reads_[operand];
  const bool too_large = !built_.is_number(number) &&
                         built_.elements(number) > (is_wide ? most_elements_if_wide : most_elements);
  const bool mixes = samplewise_ && built_.facts[number].samples == Samples::mixed;
  usable_.push_back(!too_large && !mixes);
  if (too_large || mixes) throw Error("not wanted");
  return number;
}

std::size_t Maker::op(const char* name, std::vector<std::size_t> in, std::vector<double> numbers) {
  return append({.form = &form_of(name), .in = std::move(in), .numbers = std::move(numbers)});
}

std::size_t Maker::leaf(const Shape& shape) {
  Step step{.form = nullptr, .shape = shape};
  const bool constant = shape.is_constant();
  constexpr const char* kinds[] = {"parameter", "parameter", "state",    "state",
                                   "input",     "input",     "constant", "full"};
  const char* kind = constant ? one_of(kinds) : chance(0.9) ? "input" : "full";
  if (!constant && chance(0.02)) kind = "full_dim";
  step.form = &form_of(kind);
  const std::string_view chosen(kind);
  if (chosen == "full_dim") {
    step.dims = {chance(0.7) ? Dim(B) : B + 1};
    return append(std::move(step));
  }
  const auto count = chosen == "full" ? 1 : element_count(shape.resolve(built_.recipe.batch));
  for (std::int64_t i = 0; i < count; ++i) step.numbers.push_back(number(-2, 2));
  return append(std::move(step));
}

std::size_t Maker::labels(const Shape& shape, std::int64_t classes) {
  Step step{.form = &form_of(shape.is_constant() && chance(0.3) ? "constant_labels" : "labels"),
            .axes = {classes},
            .shape = shape};
  for (std::int64_t i = element_count(shape.resolve(built_.recipe.batch)); i > 0; --i)
    step.numbers.push_back(static_cast<double>(below(static_cast<std::size_t>(classes))));
  return append(std::move(step));
}

std::size_t Maker::literal(Domain domain) {
  constexpr double special[] = {0, 1, -1, 2, 0.5};
  double x = number(std::max(domain.low, -2.5), std::min(domain.high, 2.5));
  if (const double s = one_of(special); s >= domain.low && s <= domain.high && chance(0.4)) x = s;
  return append({.form = &form_of("number"), .numbers = {x}});
}

std::optional<std::size_t> Maker::value_where(const std::function<bool(std::size_t)>& wanted) {
  std::vector<std::size_t> found;
  std::vector<std::size_t> unread;
  for (std::size_t i = 0; i < built_.exprs.size(); ++i) {
    if (!is_value(i) || !wanted(i)) continue;
    found.push_back(i);
    if (reads_[i] == 0) unread.push_back(i);
  }
  if (found.empty()) return std::nullopt;
  // Recent values nobody reads make the graph deep and leave little of it dead.
  if (!unread.empty() && chance(0.5))
    return unread[unread.size() - 1 - below(std::min<std::size_t>(unread.size(), 3))];
  return one_of(found);
}

std::size_t Maker::value(Domain domain) {
  std::optional<std::size_t> found;
  if (!chance(0.12)) found = value_where([](std::size_t) { return true; });
  return brought_into(found ? *found : leaf(random_shape(chance(0.6))), domain);
}

std::size_t Maker::shaped(const Shape& shape, Domain domain) {
  std::optional<std::size_t> found;
  if (!chance(0.15)) found = value_where([&](std::size_t i) { return this->shape(i) == shape; });
  return brought_into(found ? *found : leaf(shape), domain);
}

std::size_t Maker::partner(std::size_t step, Domain domain, bool number_too) {
  if (number_too && chance(0.15)) return literal(domain);
  const Shape& own = shape(step);
  std::optional<std::size_t> found;
  if (chance(0.85)) {
    const bool same = chance(0.5);
    found = value_where([&](std::size_t i) {
      if (same || shape(i) == own) return shape(i) == own;
      try {
        broadcast_shape(shape(i), own);
        return true;
      } catch (const Error&) {
        return false;
      }
    });
  }
  if (found) return brought_into(*found, domain);
  // A leaf to be broadcast: some extents 1, some missing in front.
  Shape like = own;
  for (std::size_t axis = 0; axis < like.rank(); ++axis)
    if (chance(0.3)) like[axis] = 1;
  std::vector<Dim> dims(like.begin(), like.end());
  while (!dims.empty() && chance(0.3)) dims.erase(dims.begin());
  return brought_into(leaf(Shape(dims)), domain);
}

std::size_t Maker::affine(std::size_t step, double factor, double summand) {
  const std::size_t scaled = op("mul", {step, append({.form = &form_of("number"), .numbers = {factor}})});
  if (summand == 0) return scaled;
  return op("add", {scaled, append({.form = &form_of("number"), .numbers = {summand}})});
}

std::size_t Maker::made_positive(std::size_t step, Domain domain) {
  switch (below(5)) {
    case 0:
      return affine(op("softplus", {step}), 0.5, domain.low);
    case 1:
      return affine(op("exp", {brought_into(step, {-1, 1})}), 0.75, domain.low);
    case 2:
      return affine(op("square", {brought_into(step, moderate)}), 0.375, domain.low);
    case 3:
      return affine(op("abs", {step}), 0.5, domain.low);
    default:
      return affine(op("sigmoid", {step}), 2, domain.low);
  }
}

std::size_t Maker::brought_into(std::size_t step, Domain domain) {
  if (within(step, domain)) return step;
  const Facts& facts = built_.facts[step];
  const double middle = (domain.low + domain.high) / 2;
  const double half = (domain.high - domain.low) / 2;
  const double bound = std::max(std::abs(facts.low), std::abs(facts.high));
  if (domain.low > 0 && domain.high >= 6) return made_positive(brought_into(step, any), domain);
  switch (below(4)) {
    case 0:
      return affine(op("tanh", {step}), 0.75 * half, middle);
    case 1:
      return affine(op("sigmoid", {step}), 1.5 * half, domain.low + 0.25 * half);
    case 2: {
      const double low = middle - half * number(0.3, 0.9);
      return op("clip", {step}, {low, middle + half * number(0.3, 0.9)});
    }
    default:
      // Scaled by too much, values would vanish, or rounding grow.
      if (bound > 8 * half || bound < 0.1 * half) return affine(op("tanh", {step}), 0.75 * half, middle);
      return affine(step, 0.75 * half / bound, middle);
  }
}

bool Maker::add_op() {
  const std::size_t before = built_.exprs.size();
  try {
    const Form* form = one_of(forms_);
    std::optional<Step> step = form->draw(*this);
    if (!step) return false;
    step->form = form;
    const std::size_t made = append(*step);
    if (!within(made, any)) brought_into(made, {-4, 4});
    return true;
  } catch (const Error&) {
    // It cannot be built on these: what was made for it stays, unread, and is dropped at the end.
    for (std::size_t i = before; i < reads_.size(); ++i) reads_[i] += 1;
    return false;
  }
}

// A scalar.
std::size_t Maker::reduced(std::size_t step) {
  if (shape(step).rank() == 0) return step;
  Step reduce{.form = &form_of(chance(0.6) ? "mean" : "sum"), .in = {step}, .flags = {false}};
  reduce.axes = all_axes(built_.exprs[step]);
  return append(std::move(reduce));
}

void Maker::choose_outputs() {
  std::vector<std::size_t> sinks;
  for (std::size_t i = 0; i < reads_.size(); ++i)
    if (is_sink(i) && built_.recipe.steps[i].form->kind == Form::Kind::op) sinks.push_back(i);
  if (sinks.empty()) sinks.push_back(value_where([](std::size_t) { return true; }).value_or(0));
  std::vector<std::size_t>& outputs = built_.recipe.outputs;
  random_.shuffle(sinks);
  outputs.push_back(sinks.front());
  for (std::size_t i = 1; i < sinks.size(); ++i) {
    if (outputs.size() < 3 && chance(0.2)) {
      outputs.push_back(sinks[i]);
      continue;
    }
    try {
      outputs.front() = brought_into(op("add", {outputs.front(), reduced(sinks[i])}), any);
    } catch (const Error&) {  // it stays dead
    }
  }
  if (!chance(0.5)) return;
  try {
    outputs.front() = reduced(outputs.front());
  } catch (const Error&) {
  }
}

// The values that a variable can take on without leaving its domain.
std::optional<std::size_t> Maker::update_of(std::size_t variable) {
  const Shape wanted = shape(variable);
  const auto fits = [&](std::size_t i) { return shape(i) == wanted; };
  try {
    if (chance(0.7))
      if (const auto found = value_where(fits)) return brought_into(*found, leaf_domain);
    const auto scalar = value_where([&](std::size_t i) { return shape(i).rank() == 0; });
    const std::size_t change = scalar ? *scalar : reduced(value());
    return brought_into(op(chance(0.5) ? "add" : "sub", {variable, change}), leaf_domain);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void Maker::choose_updates() {
  std::vector<std::size_t> variables;
  for (std::size_t i = 0; i < built_.recipe.steps.size(); ++i)
    if (built_.recipe.steps[i].form->kind == Form::Kind::variable) variables.push_back(i);
  for (const std::size_t variable : variables) {
    if (!chance(0.6)) continue;
    if (const auto value = update_of(variable)) built_.recipe.updates.emplace_back(variable, *value);
    // Outputs are the old values.
    if (chance(0.2)) built_.recipe.outputs.push_back(variable);
  }
}

Recipe Maker::make() {
  std::size_t left = 20 * ops_;
  for (std::size_t made = 0; made < ops_ && left > 0; --left)
    if (add_op()) ++made;
  choose_outputs();
  if (chance(0.4)) choose_updates();
  return pruned(built_.recipe);
}

Recipe random_recipe(std::uint64_t seed, const GeneratorOptions& options) {
  return Maker(seed, options).make();
}

}  // namespace gradus::fuzz
