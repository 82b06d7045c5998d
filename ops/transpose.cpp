#include "gradus/ops/transpose.hpp"

#include <algorithm>
#include <numeric>

namespace gradus {

Shape reordered(const Shape& shape, const Permutation& order) {
  Permutation sorted = order;
  std::ranges::sort(sorted);
  Permutation expected(shape.rank());
  std::iota(expected.begin(), expected.end(), 0);
  if (sorted != expected) throw Error("the order does not name each axis once");
  Shape result;
  for (const auto axis : order) result.push_back(shape[static_cast<std::size_t>(axis)]);
  return result;
}

Expr transpose(Arg x) {
  Permutation order(x.expr.shape().rank());
  std::iota(order.rbegin(), order.rend(), 0);
  return transpose(x, order);
}

}  // namespace gradus
