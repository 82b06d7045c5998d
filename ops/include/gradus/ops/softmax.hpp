#pragma once

#include <cstdint>

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// log Σ eˣ along an axis, which vanishes; without overflow. A negative axis counts from the end.
///
/// The gradients of all three keep their digits, to every order, where one share is near 1: what the others
/// are, to the rounding of x − max x, which the exponential magnifies. Beside a +∞, all else has the share 0;
/// of several, or of -∞ alone, there are no shares but NaN.
Expr logsumexp(Arg x, std::int64_t axis = -1);
/// log softmax(x) along an axis, exact where the softmax itself would round to 0 or 1.
Expr log_softmax(Arg x, std::int64_t axis = -1);
/// eˣ / Σ eˣ along an axis, without overflow.
Expr softmax(Arg x, std::int64_t axis = -1);

}  // namespace gradus
