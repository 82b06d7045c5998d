#include "gradus/graph/dim.hpp"

#include <fmt/format.h>

#include "gradus/base/error.hpp"

namespace gradus {

std::int64_t Dim::resolve(const DimBindings& dims, std::int64_t minimum) const {
  std::int64_t extent = 0;
  if (__builtin_mul_overflow(per_batch_, dims.batch, &extent) ||
      __builtin_add_overflow(extent, constant_, &extent))
    throw Error(fmt::format("extent {} is beyond 64 bits for batch {}", to_string(*this), dims.batch));
  if (extent < minimum)
    throw Error(fmt::format("extent {} is {} for batch {}; it must be at least {}", to_string(*this), extent,
                            dims.batch, minimum));
  return extent;
}

Dim operator*(Dim x, Dim y) {
  if (!x.is_constant() && !y.is_constant())
    throw Error(fmt::format("{} times {} has no form a·B + c: only one dimension may hold the batch",
                            to_string(x), to_string(y)));
  const Dim& factor = x.is_constant() ? x : y;
  const Dim& other = x.is_constant() ? y : x;
  Dim product;
  if (__builtin_mul_overflow(other.per_batch_, factor.constant_, &product.per_batch_) ||
      __builtin_mul_overflow(other.constant_, factor.constant_, &product.constant_))
    Dim::fail_too_large(x, "times", y);
  return product;
}

void Dim::fail_too_large(Dim x, const char* sign, Dim y) {
  throw Error(fmt::format("{} {} {} is beyond 64 bits", to_string(x), sign, to_string(y)));
}

Dim operator/(Dim x, Dim y) {
  if (y == -1) return Dim() - x;
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
