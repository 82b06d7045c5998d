#include "gradus/graph/add.hpp"

#include "gradus/graph/op_definitions.hpp"

namespace gradus {

Expr accumulate(const Expr& x, const Expr& y) {
  if (x.is_null()) return y;
  if (y.is_null()) return x;
  return make_node(Add(), {{x, Location()}, {y, Location()}});
}

}  // namespace gradus
