#pragma once

#include "gradus/framework/graph/op_of.hpp"

namespace gradus {

template <class Derived>
Kernel<float> OpOf<Derived>::kernel(const Signature& signature, float) const {
  return this->derived().template make_kernel<float>(signature);
}

template <class Derived>
Kernel<double> OpOf<Derived>::kernel(const Signature& signature, double) const {
  return this->derived().template make_kernel<double>(signature);
}

}  // namespace gradus
