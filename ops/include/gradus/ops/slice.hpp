#pragma once

#include <cstdint>
#include <vector>

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// x[begin:end] along one axis; both may hold the batch, as in slice(x, 0, 0, B - 1). Error when the part
/// does not lie within x for every batch of at least 1.
Expr slice(Arg x, std::int64_t axis, Dim begin, Dim end);

/// The box of this shape that begins at `starts` in x, an entry for each axis; both may hold the batch. Error
/// when it does not lie within x for every batch of at least 1.
Expr slice(Arg x, std::vector<Dim> starts, Shape shape);

/// The adjoint of that: x at `starts` in a tensor of this shape that is zero elsewhere.
Expr embed(Arg x, std::vector<Dim> starts, Shape shape);

/// Joins tensors along an axis: a [1, 4] row on a [B, 4] batch gives [B+1, 4]. Error when they differ
/// elsewhere, or there is none.
Expr concat(const std::vector<Arg>& parts, std::int64_t axis, Location where = Location::current());

}  // namespace gradus
