#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// Elementwise comparisons: 1 where true, 0 where false or NaN (not_equal: 1 for NaN). No gradient.
Expr operator<(Arg a, Arg b);
Expr operator>(Arg a, Arg b);
Expr operator<=(Arg a, Arg b);
Expr operator>=(Arg a, Arg b);
Expr equal(Arg a, Arg b);
Expr not_equal(Arg a, Arg b);

}  // namespace gradus
