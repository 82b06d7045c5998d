#pragma once

#include "models/tutorials/tutorial.hpp"

namespace GRADUS_PUBLIC gradus {

/// 2-3-1 sigmoid without biases: hours studied and slept to an exam score.
const Tutorial& exam_score();

}  // namespace gradus
