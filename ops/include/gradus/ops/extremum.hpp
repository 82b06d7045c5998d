#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// The larger, elementwise; NaN when one is. Where both are equal, each gets half of the gradient.
Expr maximum(Arg a, Arg b);
/// The smaller, elementwise; NaN when one is. Where both are equal, each gets half of the gradient.
Expr minimum(Arg a, Arg b);
/// |x|, with derivative 0 at 0.
Expr abs(Arg x);
/// x held within [lower, upper]; the derivative is 1 inside and on the bounds. Error when lower > upper.
Expr clip(Arg x, double lower, double upper);

}  // namespace gradus
