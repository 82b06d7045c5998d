#pragma once

#include <span>
#include <string>

#include "gradus/compile/options.hpp"
#include "gradus/graph/graph.hpp"

namespace GRADUS_PUBLIC gradus {

/// A table like Keras's: inputs and named nodes with their shapes, and how many numbers each keeps under
/// "<its name>/…", up to the prediction; then sums. Trained are the parameters that the updates change, so
/// frozen ones are not; `training` adds what the optimizer keeps.
std::string summary_of(const Expr& prediction, const Graph& training, std::span<const Update> updates);

}  // namespace gradus
