#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// Elementwise arithmetic; shapes are broadcast by NumPy's rule, numbers take the other operand's shape.
Expr operator+(Arg a, Arg b);
Expr operator-(Arg a, Arg b);
Expr operator*(Arg a, Arg b);
Expr operator/(Arg a, Arg b);
Expr operator-(Arg x);

/// weight · value, elementwise, but exactly 0 where the weight is 0, even where the value is infinite or NaN.
/// All reverse rules multiply so, with the cotangent as the weight: what has no influence on the loss gets no
/// gradient, however steep it is.
Expr weighted(Arg weight, Arg value);
/// a · b, elementwise, but exactly 0 where either is 0: the derivative of `weighted`, and of itself.
Expr weighted_both(Arg a, Arg b);

}  // namespace gradus
