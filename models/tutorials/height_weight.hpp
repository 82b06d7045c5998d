#pragma once

#include "models/tutorials/tutorial.hpp"

namespace GRADUS_PUBLIC gradus {

/// 2-2-1 sigmoid: tells female from male by weight and height, one sample at a time.
const Tutorial& height_weight();

}  // namespace gradus
