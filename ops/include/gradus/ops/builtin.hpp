#pragma once

#include <initializer_list>
#include <utility>

#include "gradus/ops/rules.hpp"

/// For the source files of the library's own ops alone.
namespace GRADUS_PUBLIC gradus {

template <class ConcreteOp, class... Attributes>
Expr builtin(std::initializer_list<Arg> operands, Attributes... attributes) {
  return build<ConcreteOp>(operands, std::move(attributes)...);
}

}  // namespace gradus
