#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// `yes` where the condition is not 0, `no` elsewhere, elementwise. The other side's value, NaN included,
/// does not matter, nor does its gradient; the condition has none.
Expr where(Arg condition, Arg yes, Arg no);

}  // namespace gradus
