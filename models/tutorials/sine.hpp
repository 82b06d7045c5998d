#pragma once

#include "models/tutorials/tutorial.hpp"

namespace GRADUS_PUBLIC gradus {

/// 1-25-1, sigmoid then linear: fits 20 sin 2πx.
const Tutorial& sine();

}  // namespace gradus
