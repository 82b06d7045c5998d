#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// eˣ, elementwise.
Expr exp(Arg x);
/// The natural logarithm; NaN below 0.
Expr log(Arg x);
/// log(1 + x), exact near 0.
Expr log1p(Arg x);
/// eˣ − 1, exact near 0.
Expr expm1(Arg x);
/// (eˣ − e^−x) / 2, elementwise.
Expr sinh(Arg x);
/// (eˣ + e^−x) / 2, elementwise.
Expr cosh(Arg x);

}  // namespace gradus
