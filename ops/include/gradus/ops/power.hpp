#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// √x; NaN below 0.
Expr sqrt(Arg x);
/// x².
Expr square(Arg x);

/// baseᵉˣᵖᵒⁿᵉⁿᵗ elementwise. An exponent given as a number makes the gradient exact for negative bases, too;
/// the gradient with respect to an exponent that is an expression is taken as 0 where base ≤ 0.
Expr pow(Arg base, Arg exponent);

}  // namespace gradus
