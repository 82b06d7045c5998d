#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// How matmul reads its operands; stored matrices are not moved.
struct Transposed {
  bool a = false;  ///< the first factor is stored transposed
  bool b = false;  ///< the second is
};

/// The matrix product a [m, k] · b [k, n] → [m, n]; with a flag, that operand is stored transposed. Error
/// when an operand is not a matrix or the inner dimensions differ.
///
/// An element is right to k·2⁻²⁴ of Σ|a||b| in float, k·2⁻⁵³ in double, whatever the order of the sums.
/// Commonly far less is lost, how much is up to the machine's BLAS: with k = 4,096 in float some 1e-6, with
/// terms of one sign 3e-6, and 2e-5 where all terms are equal, so that all are rounded in the same
/// direction. With `CompileOptions::reproducible`, which leaves nothing to BLAS, it is at most 3e-7, 5e-7 and
/// 8.5e-7.
///
/// Products are summed as arithmetic has it, for the sake of speed: 0 · ∞ and 0 · NaN are NaN. So is the
/// gradient, whose factors are the cotangent and the other operand: a row of x that is not finite makes that
/// of W in matmul(x, W) NaN, even if nothing depends on the row's product, where elementwise ops would give
/// 0. Leave such numbers out before the product, not behind it: matmul(where(m, x, 0), W).
Expr matmul(Arg a, Arg b, Transposed transposed = {});

}  // namespace gradus
