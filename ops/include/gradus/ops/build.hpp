#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// Appends a node for `ConcreteOp(attributes...)`: what a builder calls. Elementwise ops broadcast. Only
/// declared here (see ValueOp): the source file that defines the op keeps a copy, which is what "used" asks
/// for.
template <class ConcreteOp, class... Attributes>
[[gnu::used]] Expr build(std::initializer_list<Arg> operands, Attributes... attributes);

/// The same for the ops of gradus itself, of which the library has the only copy. Of another name, so that a
/// source file that defines an op (and so `build`) does not make the kernels of all others again.
template <class ConcreteOp, class... Attributes>
[[gnu::used]] Expr builtin(std::initializer_list<Arg> operands, Attributes... attributes);

/// An axis of x counted from the front, -1 being the last; fails with the op's name for one that x lacks.
std::int64_t axis_of(std::string_view op, const Arg& x, std::int64_t axis);

}  // namespace gradus
