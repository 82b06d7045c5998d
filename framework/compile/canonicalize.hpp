#pragma once

#include "framework/compile/program.hpp"

namespace GRADUS_PUBLIC gradus {

/// Puts simpler nodes in place of others of the same value: x for x + 0, x · 1 and −(−x), one view for a view
/// of a view, nothing for a reduction of a single element, and whatever an op's own `canonicalize` knows.
/// x · 0 stays, as x may be NaN.
Program canonicalize(Program program, const DimBindings& dims);

}  // namespace gradus
