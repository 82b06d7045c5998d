#pragma once

#include <cstdint>
#include <vector>

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// Which axis goes where.
using Permutation = std::vector<std::int64_t>;

/// x with its axes in another order: axis i of the result is axis order[i] of x. Error when `order` is not a
/// permutation of x's axes.
Expr transpose(Arg x, const Permutation& order);

/// x with its axes reversed: a matrix's transpose.
Expr transpose(Arg x);

}  // namespace gradus
