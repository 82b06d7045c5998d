#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// √x; NaN below 0.
Expr sqrt(Arg x);
/// x².
Expr square(Arg x);

/// baseᵉˣᵖᵒⁿᵉⁿᵗ elementwise. An exponent given as a number makes the gradient exact for negative bases, too;
/// the gradient with respect to an exponent that is an expression is taken as 0 where base ≤ 0. Gradients at
/// ±∞ are their limits.
/// Values are within 3 ulp. The gradient with respect to the base is a power of exponent − 1 as that is
/// rounded, which |log base| magnifies: in float up to 4e-6 of it is lost at a base of 1e18.
Expr pow(Arg base, Arg exponent);

}  // namespace gradus
