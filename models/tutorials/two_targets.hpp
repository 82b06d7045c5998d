#pragma once

#include "models/tutorials/tutorial.hpp"

namespace GRADUS_PUBLIC gradus {

/// 2-2-2 sigmoid with untrained biases: two inputs to two targets.
const Tutorial& two_targets();

}  // namespace gradus
