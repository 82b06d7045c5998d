#pragma once

#include <functional>

#include "recipe.hpp"

/// Cuts a failing graph down to what it fails by.
namespace gradus::fuzz {

/// True for a recipe that fails as the first one did. May throw Error, which counts as false.
using Fails = std::function<bool(const Recipe&)>;

/// A recipe that still fails and that none of these makes smaller: dropping an output or an update, putting
/// an operand of the same shape, or a leaf of its value, in place of a step, a smaller batch or extents,
/// rounder values.
Recipe shrunk(Recipe recipe, const Fails& fails);

}  // namespace gradus::fuzz
