#include "gradus/optim/optimizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "gradus/nn/initializers.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/extremum.hpp"
#include "gradus/ops/power.hpp"
#include "gradus/ops/reduction.hpp"

namespace gradus {

namespace detail {
void check_setting(bool holds, std::string_view optimizer, std::string_view what, double value) {
  if (!holds) throw Error(fmt::format("{}: {} is {}", optimizer, what, value));
}
}  // namespace detail

namespace {

Initializer starting_at(double value) { return value == 0 ? Initializer() : constant(value); }

// The states of one optimizer in one graph.
class Step final : public ParameterStep {
 public:
  Step(Graph& graph, std::string optimizer) : graph_(graph), optimizer_(std::move(optimizer)) {}

  Expr slot(std::string_view kind, double initial) override {
    return graph_.state(fmt::format("{}/{}/{}", optimizer_, kind, graph_[parameter_].label),
                        graph_[parameter_].shape, starting_at(initial));
  }

  Expr shared(std::string_view kind, double initial) override {
    auto& state = shared_[std::string(kind)];
    if (state.is_null())
      state = graph_.state(fmt::format("{}/{}", optimizer_, kind), {}, starting_at(initial));
    return state;
  }

  void set(const Expr& state, const Expr& value) override {
    const auto same = [&](const Update& update) { return update.variable.same_as(state); };
    if (std::ranges::none_of(updates_, same)) updates_.push_back({state, value});
  }

  void begin(const Expr& variable, const Expr& value, const Expr& slope) {
    parameter_ = variable.id();
    parameter = value;
    gradient = slope;
  }

  std::vector<Update> take() { return std::move(updates_); }

 private:
  Graph& graph_;
  std::string optimizer_;
  NodeId parameter_ = -1;
  std::map<std::string, Expr> shared_;
  std::vector<Update> updates_;
};

double positive(double value, std::string_view optimizer, std::string_view what) {
  detail::check_setting(value > 0 && std::isfinite(value), optimizer, what, value);
  return value;
}

}  // namespace

Optimizer::Optimizer(std::string name, double rate, Rule rule)
    : name_(std::move(name)), rate_(rate), rule_(std::move(rule)) {
  detail::check_setting(rate >= 0 && std::isfinite(rate), name_, "the learning rate", rate);
}

Optimizer::Optimizer(std::string name, Rule rule)
    : name_(std::move(name)), has_rate_(false), rule_(std::move(rule)) {}

Optimizer Optimizer::clip_value(double limit) const {
  Optimizer copy = *this;
  copy.value_limit_ = positive(limit, name_, "the limit of clip_value, which must be above 0,");
  return copy;
}

Optimizer Optimizer::clip_norm(double limit) const {
  Optimizer copy = *this;
  copy.norm_limit_ = positive(limit, name_, "the limit of clip_norm, which must be above 0,");
  return copy;
}

Optimizer Optimizer::decay_weights(double decay) const {
  if (!has_rate_)
    throw Error(fmt::format("{}: weight decay is a fraction of the learning rate, and it has none", name_));
  Optimizer copy = *this;
  copy.decay_ = positive(decay, name_, "the weight decay, which must be above 0,");
  return copy;
}

std::vector<Expr> Optimizer::clipped(std::vector<Expr> gradients) const {
  if (value_limit_ > 0)
    for (Expr& g : gradients) g = clip(g, -value_limit_, value_limit_);
  if (norm_limit_ > 0) {
    Expr squares = sum(square(gradients.front()));
    for (std::size_t i = 1; i < gradients.size(); ++i) squares = squares + sum(square(gradients[i]));
    const Expr scale = norm_limit_ / maximum(sqrt(squares), norm_limit_);
    for (Expr& g : gradients) g = g * scale;
  }
  return gradients;
}

std::vector<Update> Optimizer::operator()(const std::vector<Expr>& parameters,
                                          const std::vector<Expr>& gradients, Location where) const {
  if (parameters.empty() || parameters.size() != gradients.size())
    throw Error(
        fmt::format("{}: {} parameters and {} gradients; there must be as many of both, and at least one",
                    name_, parameters.size(), gradients.size()));
  Graph& graph = parameters.front().graph();
  const Graph::Scope scope(graph, where);
  Step step(graph, name_);
  if (has_rate_) step.rate = graph.state(rate_name(), {}, constant(rate_));
  const std::vector<Expr> slopes = clipped(gradients);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Expr& w = parameters[i];
    step.begin(w, decay_ > 0 ? w * (1 - step.rate * decay_) : w, slopes[i]);
    const Expr next = rule_(step);
    step.set(w, next);
  }
  return step.take();
}

std::vector<Update> Optimizer::operator()(const Expr& loss, Location where) const {
  const auto parameters = loss.graph().parameters();
  return (*this)(parameters, grad(loss, parameters), where);
}

}  // namespace gradus
