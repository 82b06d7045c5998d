#pragma once

#include <cstdint>
#include <vector>

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// Axes to be reduced; negative ones count from the end.
using Axes = std::vector<std::int64_t>;

/// The sum over the given axes, which vanish, or stay with extent 1 with `keep_axes`. Of all reductions: -1
/// is the last axis; Error for one that x lacks or that is given twice. Sums are taken pairwise, in an order
/// that the extents alone decide: the rounding error of n terms grows with log n, and is some 1e-7 of Σ|x| in
/// float.
Expr sum(Arg x, const Axes& axes, bool keep_axes = false);
/// The mean over the given axes; over the batch, it divides by B.
Expr mean(Arg x, const Axes& axes, bool keep_axes = false);
/// The largest over the given axes. Elements that tie for it share its gradient.
Expr max(Arg x, const Axes& axes, bool keep_axes = false);
/// The smallest over the given axes. Elements that tie for it share its gradient.
Expr min(Arg x, const Axes& axes, bool keep_axes = false);
/// The product over the given axes. Its gradient is right where factors are 0, too: of one 0, that one has
/// the product of the others; of several, none has any. It is right, too, where the product of the factors
/// before or behind one overflows or vanishes, if that of all but 0, taken pairwise, does not. The second
/// derivative of one such factor alone, which is 0, is then a rounding error, or NaN at the range's end.
Expr prod(Arg x, const Axes& axes, bool keep_axes = false);

/// √Σx², the Euclidean norm, over the given axes, with the slope 0 at 0. Take it instead of
/// sqrt(sum(square(x))) wherever x may be 0, where the root's slope is infinite and the gradient NaN, or so
/// large or small that its square is not a number of the element type. The slope is right even where the norm
/// itself overflows.
Expr norm(Arg x, const Axes& axes, bool keep_axes = false);

/// Over all axes: a scalar.
Expr sum(Arg x);
Expr mean(Arg x);
Expr max(Arg x);
Expr min(Arg x);
Expr prod(Arg x);
Expr norm(Arg x);

/// Repeats x along axes of extent 1 and along new axes in front, as NumPy does; the batch is never taken
/// for 1. Error when the shapes do not fit.
Expr broadcast_to(Arg x, const Shape& shape);

/// The shape to which both can be broadcast; Error when there is none.
Shape broadcast_shape(const Shape& a, const Shape& b);

/// All axes of x.
Axes all_axes(const Expr& x);

}  // namespace gradus
