#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// The error function, elementwise: 2/√π times the integral of e^−t² from 0 to x.
Expr erf(Arg x);
/// 1 − erf(x), with its digits where that is small.
Expr erfc(Arg x);
/// e^−(a·x²), elementwise, in full precision however small it is; Error unless a > 0 and finite. It may be
/// too large or small for the element type.
Expr gaussian(Arg x, double a = 1);
/// The probability that a standard normal variable is below x, elementwise: erfc(−x/√2) / 2.
Expr normal_cdf(Arg x);
/// x · normal_cdf(x), elementwise: the exact GELU. Its slope is right to 1e-6 or 1e-14 of 1 near x = −0.75,
/// where that changes sign.
Expr gelu(Arg x);
/// x · sigmoid(√(8/π) (x + 0.044715 x³)): the approximation of GELU that models of its first years have.
/// Values are as exact as eᵘ of a rounded u: within 250 ulp in float and 2000 in double where they vanish.
Expr gelu_tanh(Arg x);

}  // namespace gradus
