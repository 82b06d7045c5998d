#include <algorithm>
#include <numeric>

#include "forms.hpp"

namespace gradus::fuzz {

namespace {

bool is_batch_axis(const Shape& shape, std::size_t axis) { return !shape[axis].is_constant(); }

// Parts of an axis: of the batch, they are parts of other samples.
Facts slice_facts(const Form&, const Site& site) {
  const Shape &from = site.shapes[0], &to = site.shape;
  bool cuts_batch = false;
  for (std::size_t axis = 0; axis < from.rank(); ++axis)
    cuts_batch = cuts_batch || (is_batch_axis(from, axis) && from[axis] != to[axis]);
  return hull(site, cuts_batch ? Samples::mixed : linear(site));
}
Facts embed_facts(const Form& form, const Site& site) {
  Facts facts = slice_facts(form, site);
  for (const Dim d : site.step.shape)
    if (!d.is_constant() && site.in[0].samples != Samples::rows) facts.samples = Samples::mixed;
  return {std::min(facts.low, 0.0), std::max(facts.high, 0.0), facts.samples};
}
Facts concat_facts(const Form&, const Site& site) {
  const auto axis = resolve_axis(site.step.axes[0], site.shape.rank());
  return hull(site, is_batch_axis(site.shape, axis) ? Samples::mixed : linear(site));
}
Facts transpose_facts(const Form&, const Site& site) { return hull(site, linear(site)); }

Dim product(const Shape& shape, std::size_t axes) {
  Dim count = 1;
  for (std::size_t axis = 0; axis < axes; ++axis) count = count * shape[axis];
  return count;
}
// Each sample's elements stay its own if as many blocks lie in front of the batch as before.
Facts reshape_facts(const Form&, const Site& site) {
  const auto from = batch_axis(site.shapes[0]), to = batch_axis(site.shape);
  if (!from || !to) return hull(site, site.shape.is_constant() ? linear(site) : Samples::mixed);
  return hull(site,
              product(site.shapes[0], *from) == product(site.shape, *to) ? linear(site) : Samples::mixed);
}
Facts broadcast_facts(const Form&, const Site& site) {
  // The adjoint sums over samples: what all share is each sample's.
  return hull(site, linear(site));
}
Facts one_hot_facts(const Form&, const Site& site) { return {0, 1, rowwise(site)}; }

// [0, 2) or so of an extent; all but a sample or two of a batch.
std::pair<Dim, Dim> random_part(Maker& maker, Dim extent) {
  if (!extent.is_constant()) {
    const bool first = maker.chance(0.5);
    if (maker.chance(0.5)) return first ? std::pair{Dim(0), Dim(1)} : std::pair{extent - 1, extent};
    return first ? std::pair{Dim(0), extent - 1} : std::pair{Dim(1), extent};
  }
  const auto n = static_cast<std::size_t>(extent.constant());
  const std::size_t begin = maker.below(n);
  return {Dim(begin), Dim(begin + 1 + maker.below(n - begin))};
}

std::optional<std::size_t> with_axes(Maker& maker) {
  return maker.value_where([&](std::size_t i) { return maker.shape(i).rank() > 0; });
}

Form slice_form() {
  return {.op = "slice",
          .text = "slice($0, ~0, ^0, ^1)",
          .build = [](Graph&, const Step& s, const std::string&,
                      const Exprs& in) { return slice(in[0], s.axes[0], s.dims[0], s.dims[1]); },
          .facts = slice_facts,
          .draw = [](Maker& maker) -> std::optional<Step> {
            const auto x = with_axes(maker);
            if (!x) return std::nullopt;
            const Shape& shape = maker.shape(*x);
            const std::size_t axis = maker.below(shape.rank());
            const auto [begin, end] = random_part(maker, shape[axis]);
            return Step{.in = {*x}, .axes = {static_cast<std::int64_t>(axis)}, .dims = {begin, end}};
          }};
}

Form box_form() {
  return {.op = "slice",
          .text = "slice($0, std::vector<Dim>^*, Shape&)",
          .build = [](Graph&, const Step& s, const std::string&,
                      const Exprs& in) { return slice(in[0], s.dims, s.shape); },
          .facts = slice_facts,
          .draw = [](Maker& maker) -> std::optional<Step> {
            const auto x = with_axes(maker);
            if (!x) return std::nullopt;
            Step step{.in = {*x}};
            for (const Dim extent : maker.shape(*x)) {
              const auto part = random_part(maker, extent);
              const bool whole = !extent.is_constant() && maker.chance(0.8);
              step.dims.push_back(whole ? Dim(0) : part.first);
              step.shape.push_back(whole ? extent : part.second - part.first);
            }
            return step;
          }};
}

Form embed_form() {
  return {.op = "embed",
          .text = "embed($0, std::vector<Dim>^*, Shape&)",
          .build = [](Graph&, const Step& s, const std::string&,
                      const Exprs& in) { return embed(in[0], s.dims, s.shape); },
          .facts = embed_facts,
          .draw =
              [](Maker& maker) {
                const std::size_t x = maker.value();
                Step step{.in = {x}};
                for (const Dim extent : maker.shape(x)) {
                  const bool batch = !extent.is_constant() && maker.chance(0.8);
                  const Dim before = batch ? Dim(0) : Dim(maker.below(3));
                  step.dims.push_back(before);
                  step.shape.push_back(before + extent + (batch ? Dim(0) : Dim(maker.below(2))));
                }
                return step;
              }};
}

Form concat_form() {
  return {.op = "concat",
          .text = "concat({$*}, ~0)",
          .build =
              [](Graph&, const Step& s, const std::string&, const Exprs& in) {
                return concat({in.begin(), in.end()}, s.axes[0]);
              },
          .facts = concat_facts,
          .draw = [](Maker& maker) -> std::optional<Step> {
            const auto x = with_axes(maker);
            if (!x) return std::nullopt;
            const Shape shape = maker.shape(*x);
            const std::size_t axis = maker.below(shape.rank());
            Step step{.in = {*x}, .axes = {static_cast<std::int64_t>(axis)}};
            if (maker.chance(0.3)) step.axes[0] -= static_cast<std::int64_t>(shape.rank());
            for (std::size_t more = 1 + maker.below(2); more > 0; --more) {
              Shape like = shape;
              if (maker.chance(0.5)) like[axis] = maker.extent();
              step.in.push_back(maker.chance(0.15) ? *x : maker.shaped(like));
            }
            if (maker.chance(0.3)) std::swap(step.in.front(), step.in.back());
            return step;
          }};
}

Form transpose_form() {
  return {.op = "transpose",
          .text = "transpose($0, ~*)",
          .build = [](Graph&, const Step& s, const std::string&,
                      const Exprs& in) { return transpose(in[0], s.axes); },
          .facts = transpose_facts,
          .draw = [](Maker& maker) -> std::optional<Step> {
            const auto x = maker.value_where([&](std::size_t i) { return maker.shape(i).rank() > 1; });
            if (!x) return std::nullopt;
            Step step{.in = {*x}, .axes = Permutation(maker.shape(*x).rank())};
            std::iota(step.axes.begin(), step.axes.end(), 0);
            maker.random().shuffle(step.axes);
            return step;
          }};
}

// Axes merged with their neighbour, split, or put in between.
Shape reshaped(Maker& maker, const Shape& shape) {
  std::vector<Dim> dims(shape.begin(), shape.end());
  for (int changes = 1 + static_cast<int>(maker.below(2)); changes > 0; --changes) {
    const std::size_t axis = dims.empty() ? 0 : maker.below(dims.size());
    const auto at = dims.begin() + static_cast<std::ptrdiff_t>(axis);
    if (dims.empty() || maker.chance(0.25)) {
      dims.insert(at, Dim(1));
    } else if (axis + 1 < dims.size() && maker.chance(0.6)) {
      dims[axis] = dims[axis] * dims[axis + 1];
      dims.erase(at + 1);
    } else {
      for (const std::int64_t factor : {2, 3, 5})
        if (dims[axis].per_batch() % factor == 0 && dims[axis].constant() % factor == 0) {
          dims[axis] = dims[axis] / factor;
          dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis + maker.below(2)), Dim(factor));
          break;
        }
    }
  }
  return Shape(dims);
}

Form reshape_form() {
  return {.op = "reshape",
          .text = "reshape($0, &)",
          .build = [](Graph&, const Step& s, const std::string&,
                      const Exprs& in) { return reshape(in[0], s.shape); },
          .facts = reshape_facts,
          .draw =
              [](Maker& maker) {
                const std::size_t x = maker.value();
                return Step{.in = {x}, .shape = reshaped(maker, maker.shape(x))};
              }};
}

Form flatten_form() {
  return {.op = "reshape",
          .text = "flatten($0)",
          .build = [](Graph&, const Step&, const std::string&, const Exprs& in) { return flatten(in[0]); },
          .facts = reshape_facts,
          .draw = [](Maker& maker) -> std::optional<Step> {
            const auto x = maker.value_where([&](std::size_t i) { return maker.shape(i).rank() > 2; });
            if (!x) return std::nullopt;
            return Step{.in = {*x}};
          }};
}

Form broadcast_form() {
  return {.op = "broadcast_to",
          .text = "broadcast_to($0, &)",
          .build = [](Graph&, const Step& s, const std::string&,
                      const Exprs& in) { return broadcast_to(in[0], s.shape); },
          .facts = broadcast_facts,
          .draw =
              [](Maker& maker) {
                const std::size_t x = maker.value();
                Step step{.in = {x}};
                const Shape& from = maker.shape(x);
                std::vector<Dim> dims(from.begin(), from.end());
                // There may be one axis with the batch, no more.
                bool batched = !from.is_constant();
                const auto wider = [&] {
                  if (batched || maker.chance(0.6)) return Dim(maker.extent());
                  batched = true;
                  return B;
                };
                for (Dim& d : dims)
                  if (d == Dim(1) && maker.chance(0.7)) d = wider();
                while (dims.size() < 4 && maker.chance(0.4)) dims.insert(dims.begin(), wider());
                step.shape = Shape(dims);
                return step;
              }};
}

Form one_hot_form() {
  return {.op = "one_hot",
          .text = "one_hot($0, ~0)",
          .build = [](Graph&, const Step& s, const std::string&,
                      const Exprs& in) { return one_hot(in[0], s.axes[0]); },
          .facts = one_hot_facts,
          .draw =
              [](Maker& maker) {
                Shape shape;
                for (std::size_t left = maker.below(3); left > 0; --left)
                  shape.push_back(maker.chance(0.5) && shape.is_constant() ? B : Dim(maker.extent()));
                const std::int64_t classes = maker.extent();
                return Step{.in = {maker.labels(shape, classes)}, .axes = {classes}};
              }};
}

// Elements are numbered through all samples.
Facts random_facts(const Form&, const Site& site) {
  return {0, 1, site.shape.is_constant() ? Samples::shared : Samples::mixed};
}

Facts normal_facts(const Form& form, const Site& site) {
  return {-6.8, 6.8, random_facts(form, site).samples};
}

Form random_form(std::string op, Expr (*f)(Arg, std::int64_t, const Shape&),
                 Facts (*facts)(const Form&, const Site&)) {
  return {.op = op,
          .text = op + "($0, ~0, &)",
          .build = [f](Graph&, const Step& s, const std::string&,
                       const Exprs& in) { return f(in[0], s.axes[0], s.shape); },
          .facts = facts,
          .draw =
              [](Maker& maker) {
                const auto stream = static_cast<std::int64_t>(maker.below(1000));
                const Shape shape = maker.random_shape(false);
                return Step{.in = {maker.labels({4}, 1 << 24)}, .axes = {stream}, .shape = shape};
              }};
}

}  // namespace

std::vector<Form> structure_forms() {
  return {slice_form(),
          box_form(),
          embed_form(),
          concat_form(),
          transpose_form(),
          reshape_form(),
          flatten_form(),
          broadcast_form(),
          one_hot_form(),
          random_form("random_uniform", random_uniform, random_facts),
          random_form("random_normal", random_normal, normal_facts)};
}

}  // namespace gradus::fuzz
