#include "gradus/graph/dim.hpp"

#include <fmt/format.h>

#include "gradus/base/error.hpp"

namespace gradus {

std::int64_t Dim::resolve(const DimBindings& dims, std::int64_t minimum) const {
  const std::int64_t extent = per_batch_ * dims.batch + constant_;
  if (extent < minimum)
    throw Error(fmt::format("extent {} is {} for batch {}; it must be at least {}", to_string(*this), extent,
                            dims.batch, minimum));
  return extent;
}

Dim operator*(Dim x, Dim y) {
  if (!x.is_constant() && !y.is_constant())
    throw Error(fmt::format("{} times {} has no form a·B + c: only one dimension may hold the batch",
                            to_string(x), to_string(y)));
  return {x.per_batch_ * y.constant_ + x.constant_ * y.per_batch_, x.constant_ * y.constant_};
}

Dim operator/(Dim x, Dim y) {
  Dim quotient;
  if (!y.is_constant())
    quotient = x.per_batch_ / y.per_batch_;
  else if (y.constant_ != 0)
    quotient = {x.per_batch_ / y.constant_, x.constant_ / y.constant_};
  if (y == 0 || quotient * y != x)
    throw Error(
        fmt::format("{} divided by {} has no form a·B + c with whole numbers", to_string(x), to_string(y)));
  return quotient;
}

std::string to_string(Dim dim) {
  if (dim.is_constant()) return fmt::format("{}", dim.constant());
  std::string text = dim.per_batch() == 1    ? "B"
                     : dim.per_batch() == -1 ? "-B"
                                             : fmt::format("{}B", dim.per_batch());
  if (dim.constant() != 0) text += fmt::format("{:+}", dim.constant());
  return text;
}

}  // namespace gradus
