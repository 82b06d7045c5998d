#pragma once

#include "models/tutorials/tutorial.hpp"

namespace GRADUS_PUBLIC gradus {

/// 784-128-10: relu, softmax, cross-entropy, Adam.
const Tutorial& mnist();

}  // namespace gradus
