#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// x's elements in another shape; one extent may be -1, for what is left. Error when the counts differ.
Expr reshape(Arg x, const Shape& shape);

/// [d0, d1, …] → [d0, d1·…]: one row per sample. Error for a scalar.
Expr flatten(Arg x);

/// x itself, which no gradient passes.
Expr stop_gradient(Arg x);

}  // namespace gradus
