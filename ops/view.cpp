#include "gradus/ops/view.hpp"

#include "gradus/ops/builtin.hpp"

namespace gradus {

bool Reshape::equal_but_for_ones(const Shape& a, const Shape& b) {
  const auto others = [](const Shape& shape) {
    std::vector<Dim> dims;
    std::ranges::copy_if(shape, std::back_inserter(dims), [](Dim d) { return d != Dim(1); });
    return dims;
  };
  return others(a) == others(b);
}

Expr reshape(Arg x, const Shape& shape) {
  const std::span<const Arg> operands(&x, 1);
  graph_of(Reshape::name, operands);
  Shape to = shape;
  const auto open = static_cast<std::size_t>(std::ranges::find(shape, Dim(-1)) - shape.begin());
  if (open < shape.rank()) try {
      to[open] = 1;
      to[open] = x.expr.shape().element_count() / to.element_count();
    } catch (const Error& error) {
      fail(Reshape::name, operands, error.what());
    }
  return to == x.expr.shape() ? x.expr : builtin<Reshape>({x}, to);
}

Expr flatten(Arg x) {
  const std::span<const Arg> operands(&x, 1);
  graph_of("flatten", operands);
  if (x.expr.shape().rank() == 0) fail("flatten", operands, "a scalar has no rows");
  return reshape(x, {x.expr.shape()[0], -1});
}

}  // namespace gradus
