#pragma once

#include <cstdint>

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// Class indices [...] → [..., classes], 1 at the index and 0 elsewhere. No gradient. A run throws Error,
/// naming the row, for a label that is not a whole number from 0 to classes - 1.
Expr one_hot(Arg labels, std::int64_t classes);

}  // namespace gradus
