#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/compile/options.hpp"

namespace GRADUS_PUBLIC gradus {

/// What an optimizer's rule sees of one parameter, and where it keeps what it remembers.
class ParameterStep {
 public:
  /// The parameter's value before the step, after weight decay; its gradient, after clipping.
  Expr parameter;
  Expr gradient;
  /// The learning rate, a state: null for an optimizer without one.
  Expr rate;

  /// State of the parameter's shape, "<optimizer>/<kind>/<parameter>".
  virtual Expr slot(std::string_view kind, double initial = 0) = 0;
  /// State that all parameters share, "<optimizer>/<kind>": a scalar.
  virtual Expr shared(std::string_view kind, double initial = 0) = 0;
  /// What a slot or a shared state holds after the step; the first word on a shared one counts.
  virtual void set(const Expr& state, const Expr& value) = 0;

 protected:
  ~ParameterStep() = default;
};

/// How gradients change parameters: a rule that is written once, for one parameter, in graph ops. It makes
/// graph updates, to be handed to `compile` beside the loss, and keeps its learning rate as state
/// "<optimizer>/rate", so that `store.set("sgd/rate", …)` changes it between runs without compiling again. A
/// graph takes one optimizer of a kind.
class Optimizer {
 public:
  /// Returns the parameter's new value.
  using Rule = std::function<Expr(ParameterStep& step)>;

  /// Error unless the rate is finite and not negative.
  Optimizer(std::string name, double rate, Rule rule);
  /// An optimizer without a learning rate.
  Optimizer(std::string name, Rule rule);

  /// Each entry of a gradient is held within ±limit. Like the two below: a copy that does so, too; Error
  /// unless the number is finite and above 0.
  Optimizer clip_value(double limit) const;
  /// All gradients are scaled together so that their common norm is at most the limit (Keras's
  /// global_clipnorm: by limit / max(norm, limit)). After clip_value, where both are asked for.
  Optimizer clip_norm(double limit) const;
  /// Decoupled weight decay: w ← w · (1 − rate · decay) before the step. I. Loshchilov, F. Hutter, "Decoupled
  /// weight decay regularization", 2019.
  Optimizer decay_weights(double decay) const;

  /// The updates of these parameters by their gradients; the nodes carry the caller's line.
  std::vector<Update> operator()(const std::vector<Expr>& parameters, const std::vector<Expr>& gradients,
                                 Location where = Location::current()) const;
  /// Of all parameters of the loss's graph.
  std::vector<Update> operator()(const Expr& loss, Location where = Location::current()) const;

  /// Under which its states are kept: "adam".
  const std::string& name() const { return name_; }
  /// The state that holds the learning rate; empty for an optimizer without one.
  std::string rate_name() const { return has_rate_ ? name_ + "/rate" : ""; }

 private:
  std::vector<Expr> clipped(std::vector<Expr> gradients) const;

  std::string name_;
  bool has_rate_ = true;
  double rate_ = 0;
  double value_limit_ = 0;  // 0: none
  double norm_limit_ = 0;
  double decay_ = 0;
  Rule rule_;
};

namespace detail {
/// Error naming the optimizer and the setting unless it holds; so for NaN.
void check_setting(bool holds, std::string_view optimizer, std::string_view what, double value);
}  // namespace detail

}  // namespace gradus
