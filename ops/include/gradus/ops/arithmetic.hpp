#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// Elementwise arithmetic; shapes are broadcast by NumPy's rule, numbers take the other operand's shape.
Expr operator+(Arg a, Arg b);
Expr operator-(Arg a, Arg b);
Expr operator*(Arg a, Arg b);
Expr operator/(Arg a, Arg b);
Expr operator-(Arg x);

}  // namespace gradus
