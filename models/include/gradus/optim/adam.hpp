#pragma once

#include "gradus/optim/optimizer.hpp"

namespace GRADUS_PUBLIC gradus {

/// Settings of `adam`, named as in its paper.
struct AdamOptions {
  double rate = 0.001;    ///< learning rate
  double beta1 = 0.9;     ///< decay of the average gradient
  double beta2 = 0.999;   ///< decay of the average square
  double epsilon = 1e-7;  ///< keeps the divisor from zero
  /// Keras adds epsilon to √v before the bias correction; PyTorch and the paper (Kingma & Ba 2015, algorithm
  /// 1) add it to √v̂ after. PyTorch's default epsilon is 1e-8.
  enum class Epsilon { keras, pytorch };
  Epsilon epsilon_form = Epsilon::keras;  ///< which of the two
};

/// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w − rate·√(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε), in Keras's form.
Optimizer adam(const AdamOptions& options = {}, Location where = Location::current());
std::vector<Update> adam(const Expr& loss, const AdamOptions& options = {},
                         Location where = Location::current());
std::vector<Update> adam(const std::vector<Expr>& parameters, const std::vector<Expr>& gradients,
                         const AdamOptions& options = {}, Location where = Location::current());

/// Settings of `adamw`.
struct AdamWOptions {
  AdamOptions adam = {};  ///< all but the decay
  double decay = 0.01;    ///< PyTorch's; Keras's is 0.004
};

/// Adam with decoupled weight decay: w ← w·(1 − rate·decay), then Adam's step. Named "adam", too.
Optimizer adamw(const AdamWOptions& options = {}, Location where = Location::current());

/// Settings of `nadam`.
struct NadamOptions {
  double rate = 0.002;            ///< learning rate
  double beta1 = 0.9;             ///< decay of the average gradient
  double beta2 = 0.999;           ///< decay of the average square
  double epsilon = 1e-8;          ///< keeps the divisor from zero
  double momentum_decay = 0.004;  ///< of the schedule of momenta
};

/// Adam with Nesterov's momentum, in PyTorch's form. T. Dozat, "Incorporating Nesterov momentum into Adam",
/// 2016, with its schedule µₜ = β₁(1 − ½·0.96^(t·momentum_decay)):
/// w ← w − rate·((1−µₜ)g/(1−Πµ) + µₜ₊₁m/(1−µₜ₊₁Πµ)) / (√(v/(1−β₂ᵗ)) + ε).
Optimizer nadam(const NadamOptions& options = {}, Location where = Location::current());

}  // namespace gradus
