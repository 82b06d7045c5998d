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
Expr matmul(Arg a, Arg b, Transposed transposed = {});

}  // namespace gradus
