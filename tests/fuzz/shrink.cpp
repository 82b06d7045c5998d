#include "shrink.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "framework/compile/extract.hpp"
#include "gradus/base/error.hpp"

namespace gradus::fuzz {

namespace {

using Values = std::vector<double>;

class Shrinker {
 public:
  Shrinker(Recipe recipe, const Fails& fails) : best_(std::move(recipe)), fails_(fails) {}

  Recipe run() {
    accept(pruned(best_));
    while (drop_results() || stop_early() || shorten() || replace_by_leaves() || shrink_batch() ||
           shrink_extents() || drop_operands()) {
    }
    round_values();
    return best_;
  }

 private:
  bool fails(const Recipe& recipe) const {
    try {
      return fails_(recipe);
    } catch (const Error&) {
      return false;
    }
  }
  // Takes the candidate if it still fails.
  bool accept(const Recipe& candidate) {
    if (!fails(candidate)) return false;
    best_ = candidate;
    return true;
  }

  bool drop_results() {
    for (std::size_t i = best_.outputs.size(); i-- > 0 && best_.outputs.size() + best_.updates.size() > 1;) {
      Recipe candidate = best_;
      candidate.outputs.erase(candidate.outputs.begin() + static_cast<std::ptrdiff_t>(i));
      if (accept(pruned(candidate))) return true;
    }
    for (std::size_t i = best_.updates.size(); i-- > 0 && best_.outputs.size() + best_.updates.size() > 1;) {
      Recipe candidate = best_;
      candidate.updates.erase(candidate.updates.begin() + static_cast<std::ptrdiff_t>(i));
      if (accept(pruned(candidate))) return true;
    }
    // A value that an update alone reads becomes an output, which can be moved nearer to the culprit.
    for (std::size_t i = best_.updates.size(); i-- > 0;) {
      Recipe candidate = best_;
      candidate.outputs.push_back(candidate.updates[i].second);
      candidate.updates.erase(candidate.updates.begin() + static_cast<std::ptrdiff_t>(i));
      if (accept(pruned(candidate))) return true;
    }
    return false;
  }

  bool is_op(std::size_t step) const { return best_.steps[step].form->kind == Form::Kind::op; }

  // Fails already what one of the steps gives? The first such is best.
  bool stop_early() {
    if (best_.outputs.size() != 1) return false;
    for (std::size_t i = 0; i < best_.outputs.front(); ++i) {
      if (!is_op(i)) continue;
      Recipe candidate = best_;
      candidate.outputs.front() = i;
      candidate = pruned(candidate);
      if (candidate.steps.size() < best_.steps.size() && accept(candidate)) return true;
    }
    return false;
  }

  // Puts an operand in place of a step.
  bool shorten() {
    const Built built(best_);
    for (std::size_t i = best_.steps.size(); i-- > 0;) {
      for (const std::size_t in : best_.steps[i].in) {
        if (built.is_number(in) || built.facts[in].whole || built.shape(in) != built.shape(i)) continue;
        Recipe candidate = best_;
        for (Step& step : candidate.steps) std::ranges::replace(step.in, i, in);
        std::ranges::replace(candidate.outputs, i, in);
        for (auto& update : candidate.updates)
          if (update.second == i) update.second = in;
        if (accept(pruned(candidate))) return true;
      }
    }
    return false;
  }

  // Puts an input that holds the same values in place of a step. The last first: most goes at once.
  bool replace_by_leaves() {
    const Built built(best_);
    std::vector<Expr> exprs;
    for (const Expr& e : built.exprs)
      if (e.is_node()) exprs.push_back(e);
    const Program live = extract(exprs, {});
    const auto nodes = interpret(*live.graph, built.point, best_.batch);
    std::size_t value = exprs.size();
    for (std::size_t i = best_.steps.size(); i-- > 0;) {
      if (built.is_number(i)) continue;
      --value;
      if (!is_op(i)) continue;
      Values values = nodes[static_cast<std::size_t>(live.outputs[value])];
      if (!std::ranges::all_of(values, [](double v) { return std::isfinite(v); })) continue;
      for (double& v : values) v = static_cast<float>(v);
      Recipe candidate = best_;
      candidate.steps[i] = {.form = &form_of("input"), .numbers = std::move(values), .shape = built.shape(i)};
      if (accept(pruned(candidate))) return true;
    }
    return false;
  }

  // Rebuilds with shapes changed by `dim`; leaves keep as many of their values as they need.
  template <class Change> bool reshape(std::int64_t batch, Change change) {
    Recipe candidate = best_;
    candidate.batch = batch;
    for (Step& step : candidate.steps) {
      for (std::size_t axis = 0; axis < step.shape.rank(); ++axis)
        step.shape[axis] = change(step.shape[axis]);
      for (Dim& d : step.dims) d = change(d);
      const bool is_leaf = step.in.empty() && step.numbers.size() > 1;
      if (is_leaf)
        step.numbers.resize(static_cast<std::size_t>(element_count(step.shape.resolve(batch))), 0.5);
    }
    return accept(candidate);
  }

  bool shrink_batch() {
    for (std::int64_t batch = 1; batch < best_.batch; ++batch)
      if (try_reshape(batch, [](Dim d) { return d; })) return true;
    return false;
  }

  template <class Change> bool try_reshape(std::int64_t batch, Change change) {
    try {
      return reshape(batch, change);
    } catch (const Error&) {
      return false;
    }
  }

  // Every extent of one size becomes smaller; what then does not fit is no candidate.
  bool shrink_extents() {
    std::set<std::int64_t> sizes;
    for (const Step& step : best_.steps)
      for (const Dim d : step.shape)
        if (d.is_constant() && d.constant() > 1) sizes.insert(d.constant());
    for (const std::int64_t from : sizes)
      for (std::int64_t to = 1; to < from; to = to < 4 ? to + 1 : (to + from + 1) / 2) {
        if (try_reshape(best_.batch, [&](Dim d) { return d == Dim(from) ? Dim(to) : d; })) return true;
      }
    return false;
  }

  // An op of many operands (concat) may do with fewer.
  bool drop_operands() {
    for (std::size_t i = 0; i < best_.steps.size(); ++i)
      for (std::size_t k = best_.steps[i].in.size(); best_.steps[i].in.size() > 2 && k-- > 0;) {
        if (best_.steps[i].form->op != "concat") break;
        Recipe candidate = best_;
        auto& in = candidate.steps[i].in;
        in.erase(in.begin() + static_cast<std::ptrdiff_t>(k));
        if (accept(pruned(candidate))) return true;
      }
    return false;
  }

  void round_values() {
    for (const double grid : {2.0, 8.0, 64.0})
      for (std::size_t i = 0; i < best_.steps.size(); ++i) {
        if (!best_.steps[i].in.empty()) continue;
        Recipe candidate = best_;
        for (double& v : candidate.steps[i].numbers) v = std::round(v * grid) / grid;
        if (candidate.steps[i].numbers != best_.steps[i].numbers) accept(candidate);
      }
  }

  Recipe best_;
  const Fails& fails_;
};

}  // namespace

Recipe shrunk(Recipe recipe, const Fails& fails) { return Shrinker(std::move(recipe), fails).run(); }

}  // namespace gradus::fuzz
