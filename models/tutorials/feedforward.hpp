#pragma once

#include "models/tutorials/tutorial.hpp"

namespace GRADUS_PUBLIC gradus {

/// 2-2-1 sigmoid, forward only.
const Tutorial& feedforward();

}  // namespace gradus
