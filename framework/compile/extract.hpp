#pragma once

#include <span>

#include "framework/compile/program.hpp"
#include "gradus/compile/options.hpp"

namespace GRADUS_PUBLIC gradus {

/// The live part of a user's graph, as a program of its own. Error when outputs and updates are of different
/// graphs, when an update's variable is not one, differs in shape from its value, or is updated twice.
Program extract(std::span<const Expr> outputs, std::span<const Update> updates);

}  // namespace gradus
