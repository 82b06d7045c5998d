#include "gradus/optim/optimizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "gradus/nn/initializers.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/extremum.hpp"
#include "gradus/ops/power.hpp"
#include "gradus/ops/reduction.hpp"
#include "gradus/ops/slice.hpp"
#include "gradus/ops/view.hpp"
#include "models/optim/name_pattern.hpp"

namespace gradus {

namespace detail {
void check_setting(bool holds, std::string_view optimizer, std::string_view what, double value,
                   Location where) {
  if (!holds) throw Error(fmt::format("{} at {}: {} is {}", optimizer, to_string(where), what, value));
}
}  // namespace detail

namespace {

const std::string& name_of(const Expr& parameter) { return parameter.graph()[parameter.id()].label; }

template <class List, class Text> std::string joined(const List& list, Text text) {
  std::string all;
  for (const auto& each : list) all += (all.empty() ? "" : ", ") + text(each);
  return all.empty() ? "none" : all;
}

// The states of one optimizer in one graph.
class Step final : public ParameterStep {
 public:
  Step(Graph& graph, std::string optimizer) : graph_(graph), optimizer_(std::move(optimizer)) {}

  Expr slot(std::string_view kind, double initial) override {
    const Node& variable = graph_[parameter_];
    return state(fmt::format("{}/{}/{}", optimizer_, kind, variable.label), variable.shape, initial);
  }

  Expr shared(std::string_view kind, double initial) override {
    auto& found = shared_[std::string(kind)];
    if (found.is_null()) found = state(fmt::format("{}/{}", optimizer_, kind), {}, initial);
    return found;
  }

  void set(const Expr& state, const Expr& value) override {
    if (set_.insert(state.id()).second) updates_.push_back({state, value});
  }

  void begin(const Expr& variable, const Expr& value, const Expr& slope) {
    parameter_ = variable.id();
    parameter = value;
    gradient = slope;
  }

  const std::vector<Update>& updates() const { return updates_; }

  // The learning rate.
  Expr setting(double initial) { return graph_.setting(unused(optimizer_ + "/rate"), initial); }

 private:
  Expr state(const std::string& name, const Shape& shape, double initial) {
    return graph_.state(unused(name), shape, initial == 0 ? Initializer() : constant(initial));
  }

  const std::string& unused(const std::string& name) {
    if (graph_.contains(name))
      throw Error(
          fmt::format("{} at {}: the graph has a '{}' already, made at {}; two optimizers of one graph "
                      "need two names: give one of them its own with .named(\"…\")",
                      optimizer_, to_string(graph_.line(Location())), name,
                      to_string(graph_[graph_.find(name).id()].where)));
    return name;
  }

  Graph& graph_;
  std::string optimizer_;
  NodeId parameter_ = -1;
  std::map<std::string, Expr> shared_;
  std::vector<Update> updates_;
  std::set<NodeId> set_;  // the variables that they set
};

std::vector<Expr> select(const std::vector<Expr>& from, const std::vector<std::size_t>& wanted) {
  std::vector<Expr> selected;
  selected.reserve(wanted.size());
  for (const std::size_t i : wanted) selected.push_back(from[i]);
  return selected;
}

// Error unless a transform left as many values of the same shapes, which the next one relies on.
void check_kept(const StepValues& values, const std::vector<Expr>& variables, std::string_view optimizer) {
  Graph& graph = variables.front().graph();
  const std::string place = fmt::format("{} at {}", optimizer, to_string(graph.line(Location())));
  for (const auto& [made, what] :
       {std::pair(&values.parameters, "parameters"), std::pair(&values.gradients, "gradients")}) {
    if (made->size() != variables.size())
      throw Error(fmt::format("{}: after a transform there are {} {} of {}; it must keep their number", place,
                              made->size(), what, variables.size()));
    for (std::size_t i = 0; i < variables.size(); ++i)
      if (const Expr& one = (*made)[i]; !one.is_node() || one.shape() != variables[i].shape())
        throw Error(fmt::format("{}: after a transform the {} hold {} for {}; it must keep the shape", place,
                                what, one.is_node() ? to_string(one.shape()) : "a bare number",
                                graph.describe(variables[i].id())));
  }
}

void positive(double value, std::string_view optimizer, std::string_view what, Location where) {
  detail::check_setting(value > 0 && std::isfinite(value), optimizer, what, value, where);
}

}  // namespace

Optimizer::Optimizer(std::string name, double rate, Rule rule, Location where)
    : name_(std::move(name)), rate_(rate), rule_(std::move(rule)) {
  detail::check_setting(rate >= 0 && std::isfinite(rate), name_,
                        "the learning rate, which must be finite and not negative,", rate, where);
}

Optimizer::Optimizer(std::string name, Rule rule) : name_(std::move(name)), rule_(std::move(rule)) {}

std::string Optimizer::place(Location where) const {
  return fmt::format("{} at {}", name_, to_string(where));
}

Optimizer Optimizer::named(std::string name, Location where) const {
  if (name.empty()) throw Error(fmt::format("{}: its name is to be empty; states need one", place(where)));
  if (!groups_.empty())
    throw Error(fmt::format("{}: there are no states to be kept under '{}'; name the optimizers within",
                            place(where), name));
  Optimizer copy = *this;
  copy.name_ = std::move(name);
  return copy;
}

Optimizer Optimizer::transform(Transform next, Location where) const {
  if (!next) throw Error(fmt::format("{}: the transform is an empty function", place(where)));
  Optimizer copy = *this;
  copy.chain_.push_back(std::move(next));
  return copy;
}

Optimizer Optimizer::clip_value(double limit, Location where) const {
  positive(limit, name_, "the limit of clip_value, which must be above 0,", where);
  return transform([limit](StepValues& values) {
    for (Expr& g : values.gradients) g = clip(g, -limit, limit);
  });
}

Optimizer Optimizer::clip_norm(double limit, Location where) const {
  positive(limit, name_, "the limit of clip_norm, which must be above 0,", where);
  return transform([limit](StepValues& values) {
    double count = 0;
    for (const Expr& g : values.gradients) count += static_cast<double>(g.shape().element_count().constant());
    // The norm of g / √count: that of g itself may be too large for a float where no gradient is.
    const double root = std::sqrt(count);
    std::vector<Arg> norms;
    for (const Expr& g : values.gradients) norms.emplace_back(reshape(norm(g / root), {1}));
    // What they are scaled by may vanish where a gradient is large, so that it comes in two factors: one
    // times a power of two, and that power. Both are exact, and 1 together where nothing is to be clipped.
    constexpr int near_the_top = 100, most = 126;
    const double least = limit / root;
    const double power = std::ldexp(1.0, std::clamp(near_the_top - std::ilogb(least), -most, most));
    const Expr scale = least * power / maximum(norm(concat(norms, 0)), least);
    for (Expr& g : values.gradients) g = g * scale * (1 / power);
  });
}

Optimizer Optimizer::l2_penalty(double decay, Location where) const {
  positive(decay, name_, "the decay of l2_penalty, which must be above 0,", where);
  return transform([decay](StepValues& values) {
    for (std::size_t i = 0; i < values.gradients.size(); ++i)
      values.gradients[i] = values.gradients[i] + decay * values.parameters[i];
  });
}

Optimizer Optimizer::decay_weights(double decay, Location where) const {
  if (!rate_)
    throw Error(
        fmt::format("{}: weight decay is a fraction of the learning rate, and it has none", place(where)) +
        (groups_.empty() ? "" : " of its own; give the decay to the optimizers within"));
  positive(decay, name_, "the weight decay, which must be above 0,", where);
  return transform([decay](StepValues& values) {
    for (Expr& w : values.parameters) w = w * (1 - values.rate * decay);
  });
}

std::vector<LearningRate> Optimizer::rates() const {
  std::vector<LearningRate> all;
  for (const Optimizer* each : rules())
    if (each->rate_) all.push_back({each->name_ + "/rate", *each->rate_});
  return all;
}

std::string Optimizer::rate_name() const {
  const auto all = rates();
  return all.size() == 1 ? all.front().state : "";
}

void Optimizer::append_updates(const std::vector<Expr>& variables, StepValues values,
                               std::vector<Update>& all) const {
  Step step(variables.front().graph(), name_);
  values.rate = rate_ ? step.setting(*rate_) : Expr();
  for (const Transform& transform : chain_) {
    transform(values);
    check_kept(values, variables, name_);
  }
  for (const ParameterGroup& group : groups_) {
    const auto own = members(group, variables);
    if (own.empty()) continue;  // it is frozen
    const StepValues its{select(values.parameters, own), select(values.gradients, own), {}};
    group.optimizer.append_updates(select(variables, own), its, all);
  }
  if (!rule_) return;
  step.rate = values.rate;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    step.begin(variables[i], values.parameters[i], values.gradients[i]);
    const Expr next = rule_(step);
    step.set(variables[i], next);
  }
  all.insert(all.end(), step.updates().begin(), step.updates().end());
}

std::vector<Update> Optimizer::updates(const std::vector<Expr>& variables, const std::vector<Expr>& gradients,
                                       Location where) const {
  if (variables.empty())
    throw Error(
        fmt::format("{}: there is nothing to train; the graph must have at least one parameter that is "
                    "not frozen",
                    place(where)));
  const Graph::Scope scope(variables.front().graph(), where);
  std::vector<Update> all;
  append_updates(variables, {variables, gradients, {}}, all);
  return all;
}

std::vector<Update> Optimizer::operator()(const std::vector<Expr>& parameters,
                                          const std::vector<Expr>& gradients, Location where) const {
  if (parameters.size() != gradients.size())
    throw Error(fmt::format("{}: {} parameters and {} gradients; there must be as many of both", place(where),
                            parameters.size(), gradients.size()));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Arg operands[] = {{parameters[i], where}, {gradients[i], where}};
    if (common_graph_of(name_, operands); parameters[i].shape() != gradients[i].shape())
      fail(name_, operands, "a gradient must have the shape of its parameter");
  }
  const auto wanted = trained(parameters);
  return updates(select(parameters, wanted), select(gradients, wanted), where);
}

std::vector<Update> Optimizer::operator()(const Expr& loss, Location where) const {
  const Arg operand(loss, where);
  const auto all = graph_of(name_, {&operand, 1}).parameters();
  const auto variables = select(all, trained(all));
  return updates(variables, grad(loss, variables, where), where);
}

Optimizer groups(std::vector<ParameterGroup> groups, Location where) {
  Optimizer made("groups", nullptr);
  if (groups.empty())
    throw Error(fmt::format("{}: there is no group; give a pattern and an optimizer", made.place(where)));
  made.where_ = where;
  made.groups_ = std::move(groups);
  std::set<std::string_view> names;
  for (const Optimizer* each : made.rules())
    if (!names.insert(each->name_).second)
      throw Error(
          fmt::format("{}: two of the optimizers are named '{}'; give one a name of its own with "
                      ".named(\"…\")",
                      made.place(where), each->name_));
  return made;
}

Optimizer frozen() { return {"frozen", nullptr}; }

// The optimizers with a rule: this one, or those of the groups in their order.
std::vector<const Optimizer*> Optimizer::rules() const {
  std::vector<const Optimizer*> all;
  if (rule_) all.push_back(this);
  for (const ParameterGroup& group : groups_)
    for (const Optimizer* each : group.optimizer.rules()) all.push_back(each);
  return all;
}

const ParameterGroup& Optimizer::group_of(const Expr& parameter) const {
  const std::string& name = name_of(parameter);
  const auto found = std::ranges::find_if(
      groups_, [&](const ParameterGroup& group) { return matches(group.pattern, name); });
  if (found == groups_.end())
    throw Error(
        fmt::format("{}: no pattern matches the parameter '{}'; there are: {}. Add one that does, as "
                    "in {{\"*\", frozen()}}",
                    place(where_), name, joined(groups_, [](const auto& group) { return group.pattern; })));
  return *found;
}

// The places of the group's parameters.
std::vector<std::size_t> Optimizer::members(const ParameterGroup& group,
                                            const std::vector<Expr>& parameters) const {
  std::vector<std::size_t> own;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (&group_of(parameters[i]) == &group) own.push_back(i);
  return own;
}

// The places of the parameters that are not frozen, in order.
std::vector<std::size_t> Optimizer::trained(const std::vector<Expr>& parameters) const {
  std::vector<std::size_t> all;
  if (rule_) {
    all.resize(parameters.size());
    std::iota(all.begin(), all.end(), 0U);
  }
  for (const ParameterGroup& group : groups_) {
    const auto own = members(group, parameters);
    if (own.empty())
      throw Error(
          fmt::format("{}: the pattern '{}' decides no parameter: none matches, or earlier groups have "
                      "those that do; the parameters are: {}",
                      place(where_), group.pattern, joined(parameters, name_of)));
    std::vector<Expr> its;
    its.reserve(own.size());
    for (const std::size_t i : own) its.push_back(parameters[i]);
    for (const std::size_t i : group.optimizer.trained(its)) all.push_back(own[i]);
  }
  std::ranges::sort(all);
  return all;
}

}  // namespace gradus
