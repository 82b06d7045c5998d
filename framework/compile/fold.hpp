#pragma once

#include "framework/compile/program.hpp"

namespace GRADUS_PUBLIC gradus {

/// Turns numbers that depend on symbols into plain ones, and computes whatever depends on constants alone.
/// Tensors of more than 4,096 elements stay as they are, as they would live as long as the program.
Program fold(Program program, const DimBindings& dims);

}  // namespace gradus
