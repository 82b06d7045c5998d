#pragma once

#include <initializer_list>

#include "gradus/framework/graph/expr.hpp"

namespace gradus {

/// Appends a node for `ConcreteOp(attributes...)`: what a builder calls. Elementwise ops broadcast. Only
/// declared here (see ValueOp): the op's own object file keeps a copy, which is what "used" asks for.
template <class ConcreteOp, class... Attributes>
[[gnu::used]] Expr build(std::initializer_list<Arg> operands, Attributes... attributes);

}  // namespace gradus
