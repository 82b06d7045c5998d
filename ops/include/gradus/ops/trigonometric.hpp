#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// Elementwise circular functions, in radians; within 3 ulp for arguments of any size, NaN for ±∞.
Expr sin(Arg x);
Expr cos(Arg x);
Expr tan(Arg x);

/// The angle in [−π/2, π/2] whose sine is x; NaN beyond ±1. The slope is 1 / √(1 − x²), infinite at ±1.
Expr asin(Arg x);
/// The angle in [0, π] whose cosine is x; NaN beyond ±1. The slope is −1 / √(1 − x²), infinite at ±1.
Expr acos(Arg x);
/// The angle in [−π/2, π/2] whose tangent is x.
Expr atan(Arg x);
/// The angle in [−π, π] of the point (x, y); shapes are broadcast. Beside an infinity what is finite is 0;
/// two are equal. The gradient (x, −y) / (x² + y²) neither overflows nor vanishes early; at the origin, where
/// there is none, it is NaN.
Expr atan2(Arg y, Arg x);

}  // namespace gradus
