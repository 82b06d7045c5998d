#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/compile/options.hpp"

namespace GRADUS_PUBLIC gradus {

/// A rule's view of one parameter, and the place where it keeps its states.
class ParameterStep {
 public:
  /// The parameter's value before the step and its gradient, both after the optimizer's transforms.
  Expr parameter;
  Expr gradient;
  /// The learning rate: null for an optimizer without one.
  Expr rate;

  /// State of the parameter's shape, "<optimizer>/<kind>/<parameter>".
  virtual Expr slot(std::string_view kind, double initial = 0) = 0;
  /// State that all parameters share, "<optimizer>/<kind>": a scalar.
  virtual Expr shared(std::string_view kind, double initial = 0) = 0;
  /// Sets what a slot or a shared state holds after the step; the first word on a shared one counts.
  virtual void set(const Expr& state, const Expr& value) = 0;

 protected:
  ~ParameterStep() = default;
};

/// Handed to the transforms of a chain, to be changed: values of all parameters that the optimizer trains.
struct StepValues {
  std::vector<Expr> parameters;  ///< their values before the step, in the order of their creation
  std::vector<Expr> gradients;   ///< as many, each of its parameter's shape
  Expr rate;  ///< the learning rate: null without one, and around groups, which have several
};

/// A state that holds a learning rate.
struct LearningRate {
  std::string state;   ///< its name
  double initial = 0;  ///< what it starts with
};

struct ParameterGroup;

/// How gradients change parameters: a chain of gradient transforms before a rule, all in graph ops. They are
/// applied in the order in which they are written: `adam().clip_norm(1).clip_value(0.5)` clips the norm
/// first, then the entries. An optimizer makes graph updates, to be handed to `compile` beside the loss, and
/// keeps its learning rate as state "<optimizer>/rate", so that `store.set("sgd/rate", {…})` changes it
/// between runs without compiling again. Two optimizers in one graph need two names: see `named`.
class Optimizer {
 public:
  /// Written once, for one parameter: returns the parameter's new value.
  using Rule = std::function<Expr(ParameterStep& step)>;
  /// Written for all parameters together, since they may share a norm.
  using Transform = std::function<void(StepValues& values)>;

  /// Error unless the rate is finite and not negative.
  Optimizer(std::string name, double rate, Rule rule, Location where = Location::current());
  /// An optimizer without a learning rate; one without a rule trains nothing, see `frozen`.
  Optimizer(std::string name, Rule rule);

  /// A copy that keeps its states under this name. Error when the name is empty, or this is `groups`, whose
  /// optimizers have the names.
  Optimizer named(std::string name, Location where = Location::current()) const;

  /// A copy with one more transform at the end of its chain, of ordinary graph nodes. What it makes is
  /// checked when the updates are built: Error unless numbers and shapes of parameters and gradients are
  /// kept.
  Optimizer transform(Transform next, Location where = Location::current()) const;
  /// Each entry of a gradient is held within ±limit. Like the three below: a copy with one more transform;
  /// Error unless the number is finite and above 0.
  Optimizer clip_value(double limit, Location where = Location::current()) const;
  /// All gradients are scaled together so that their common norm is at most the limit (Keras's
  /// global_clipnorm: by limit / max(norm, limit)). Around `groups` it is the norm over all of them, on an
  /// optimizer within it is the norm over its group; frozen parameters do not count.
  Optimizer clip_norm(double limit, Location where = Location::current()) const;
  /// L2 regularization: g ← g + decay · w, the gradient of ½ · decay · ‖w‖²; PyTorch's weight_decay of SGD
  /// and Adam.
  Optimizer l2_penalty(double decay, Location where = Location::current()) const;
  /// Decoupled weight decay: w ← w · (1 − rate · decay) before the step. I. Loshchilov, F. Hutter, "Decoupled
  /// weight decay regularization", 2019. Error for an optimizer without a learning rate, as `groups` is: give
  /// it to the optimizers within.
  Optimizer decay_weights(double decay, Location where = Location::current()) const;

  /// The updates of these parameters by their gradients; the nodes carry the caller's line. Error when a
  /// gradient has not its parameter's shape, a state has a name that the graph has already, or nothing is
  /// trained.
  std::vector<Update> operator()(const std::vector<Expr>& parameters, const std::vector<Expr>& gradients,
                                 Location where = Location::current()) const;
  /// The updates of all parameters of the loss's graph; frozen ones are not differentiated.
  std::vector<Update> operator()(const Expr& loss, Location where = Location::current()) const;

  /// The name under which its states are kept: "adam".
  const std::string& name() const { return name_; }
  /// The learning rates: one, none, or those of the groups in their order.
  std::vector<LearningRate> rates() const;
  /// The state that holds the learning rate; empty for an optimizer with none, or with several.
  std::string rate_name() const;

 private:
  friend Optimizer groups(std::vector<ParameterGroup> groups, Location where);

  std::string place(Location where) const;
  std::vector<const Optimizer*> rules() const;
  const ParameterGroup& group_of(const Expr& parameter) const;
  std::vector<std::size_t> members(const ParameterGroup& group, const std::vector<Expr>& parameters) const;
  std::vector<std::size_t> trained(const std::vector<Expr>& parameters) const;
  std::vector<Update> updates(const std::vector<Expr>& variables, const std::vector<Expr>& gradients,
                              Location where) const;
  void append_updates(const std::vector<Expr>& variables, StepValues values, std::vector<Update>& all) const;

  std::string name_;
  std::optional<double> rate_;
  std::vector<Transform> chain_;
  Rule rule_;
  std::vector<ParameterGroup> groups_;  // in place of a rule
  Location where_;                      // of groups
};

/// Parameters by their names, and the optimizer that trains them.
struct ParameterGroup {
  /// A pattern of whole names, such as "encoder/0/W": `*` stands for any bytes, slashes and none among them,
  /// `?` for any one.
  std::string pattern;
  Optimizer optimizer;  ///< trains those parameters that no earlier group has
};

/// Trains each parameter by the first group whose pattern matches its name:
///
///     groups({{"encoder/*", frozen()},
///             {"*/b", adam({.rate = 0.02}).named("biases")},
///             {"*", adamw({{.rate = 0.01}, 0.1})}})
///
/// A transform around groups sees the gradients of all of them, before the groups' own chains. Error when two
/// of the optimizers have one name. When the updates are built: Error for a pattern that decides no
/// parameter, and for a parameter that no pattern matches. A group may consist of groups.
Optimizer groups(std::vector<ParameterGroup> groups, Location where = Location::current());

/// Trains nothing, for groups whose parameters keep every bit: they have no updates, no slots and no decay,
/// their gradients are not computed and count in no norm. (Whatever else a layer keeps, such as the running
/// means of a batch normalization, goes on changing.)
Optimizer frozen();

namespace detail {
/// Error naming the optimizer, the line and the setting unless it holds; so for NaN.
void check_setting(bool holds, std::string_view optimizer, std::string_view what, double value,
                   Location where);
}  // namespace detail

}  // namespace gradus
