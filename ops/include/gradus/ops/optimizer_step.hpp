#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// w − rate · gradient.
Expr sgd_step(Arg w, Arg gradient, Arg rate);
/// decay · average + (1 − decay) · x.
Expr moving_average(Arg average, Arg x, double decay);
/// decay · average + (1 − decay) · x².
Expr moving_square(Arg average, Arg x, double decay);
/// w − rate · direction / (√square + epsilon), and NaN where the square is infinite: in float, for gradients
/// above 2e19. Fast where rate and epsilon are scalars.
Expr adaptive_step(Arg w, Arg direction, Arg square, Arg rate, Arg epsilon);

/// The result of a step of Adam.
struct AdamStep {
  Expr w;  ///< the parameter
  Expr m;  ///< the average gradient
  Expr v;  ///< the average of its square
};
/// A step of Adam: moving_average, moving_square and adaptive_step with them, in one pass over memory. Fast
/// where rate and epsilon are scalars.
AdamStep adam_step(Arg w, Arg m, Arg v, Arg gradient, Arg rate, Arg epsilon, double beta1, double beta2);

}  // namespace gradus
