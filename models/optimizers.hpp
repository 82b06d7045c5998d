#pragma once

#include <vector>

#include "gradus/framework/compile/program.hpp"
#include "gradus/framework/graph/gradient.hpp"

/// Optimizers are graph updates: hand them to `compile` beside the loss. Each keeps its learning rate as
/// state
/// "<optimizer>/rate", so that `store.set("sgd/rate", …)` changes it between runs without compiling again,
/// and its slots as state named after the parameter; so a graph takes one optimizer of a kind. All nodes
/// carry the caller's line.
namespace gradus {

struct SgdOptions {
  double rate = 0.01;
  double momentum = 0;    ///< v ← momentum · v − rate · g; w ← w + v
  bool nesterov = false;  ///< w ← w + momentum · v − rate · g, with the new v (Keras's form)
};

/// w ← w − rate · g for the given parameters and gradients of their shapes.
std::vector<Update> sgd(const std::vector<Expr>& parameters, const std::vector<Expr>& gradients,
                        const SgdOptions& options = {}, Location where = Location::current());
/// For all parameters of the loss's graph.
std::vector<Update> sgd(const Expr& loss, const SgdOptions& options = {},
                        Location where = Location::current());

struct AdamOptions {
  double rate = 0.001;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-7;
  /// Keras adds epsilon to √v before the bias correction; PyTorch and the paper (Kingma & Ba 2015, algorithm
  /// 1) add it to √v̂ after. PyTorch's default epsilon is 1e-8.
  enum class Epsilon { keras, pytorch } epsilon_form = Epsilon::keras;
};

/// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w − rate·√(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε), in Keras's form.
std::vector<Update> adam(const std::vector<Expr>& parameters, const std::vector<Expr>& gradients,
                         const AdamOptions& options = {}, Location where = Location::current());
std::vector<Update> adam(const Expr& loss, const AdamOptions& options = {},
                         Location where = Location::current());

}  // namespace gradus
