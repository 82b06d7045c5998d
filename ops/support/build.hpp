#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "gradus/framework/graph/expr.hpp"

namespace gradus {

/// Appends a node for `ConcreteOp(attributes...)`: what a builder calls. Elementwise ops broadcast. Only
/// declared here (see ValueOp): the op's own object file keeps a copy, which is what "used" asks for.
template <class ConcreteOp, class... Attributes>
[[gnu::used]] Expr build(std::initializer_list<Arg> operands, Attributes... attributes);

/// An axis of x counted from the front, -1 being the last; fails with the op's name for one that x lacks.
std::int64_t axis_of(std::string_view op, const Arg& x, std::int64_t axis);

}  // namespace gradus
