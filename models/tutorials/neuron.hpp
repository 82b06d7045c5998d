#pragma once

#include "models/tutorials/tutorial.hpp"

namespace GRADUS_PUBLIC gradus {

/// One sigmoid neuron, forward only.
const Tutorial& neuron();

}  // namespace gradus
