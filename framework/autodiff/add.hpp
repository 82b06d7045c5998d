#pragma once

#include "gradus/graph/elementwise.hpp"

namespace GRADUS_PUBLIC gradus {

/// x + y of equal shapes: the one concrete op that the framework itself needs, to sum cotangents. The
/// operator that broadcasts is in gradus/ops/arithmetic.hpp.
class Add final : public Elementwise<Add, 2> {
 public:
  static constexpr std::string_view name = "add";
  static constexpr std::string_view onnx = "Add";
  static constexpr Traits extra_traits{.commutative = true, .left_identity = 0.0, .right_identity = 0.0};
  template <class T> static T f(T x, T y) { return x + y; }
  std::vector<Expr> vjp(const Vjp& v) const override { return {v.cotangent, v.cotangent}; }
};

/// The sum of two cotangents, where null counts as nothing.
Expr accumulate(const Expr& x, const Expr& y);

}  // namespace gradus
