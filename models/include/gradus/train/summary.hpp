#pragma once

#include <string>

#include "gradus/graph/graph.hpp"

namespace GRADUS_PUBLIC gradus {

/// A table like Keras's: inputs and named nodes with their shapes, and how many numbers each keeps under
/// "<its name>/…", up to the prediction; then sums. `training` adds what the optimizer keeps.
std::string summary_of(const Expr& prediction, const Graph& training);

}  // namespace gradus
