#pragma once

#include <optional>
#include <vector>

#include "framework/compile/plan.hpp"

namespace GRADUS_PUBLIC gradus {

/// Adds to a plan, of which the program and what it is made for are known, the steps that compute it, in the
/// order of their last nodes' ids; buffers are not yet assigned.
///
/// A fused loop is an elementwise node with all the elementwise nodes that only it, or nodes already in the
/// loop, read. Every path from such a node leads into the loop, so no path leaves and comes back: the loop
/// can run as one step. What an output or an update wants of it is stored on the way. For the same reason an
/// op that one loop alone reads, element for element, can become the loop's producer: its output never leaves
/// the cache. With `fuse` false, every op is a step of its own.
Plan fuse(Plan plan, bool fuse);

/// How `shape` is read when it is broadcast to `target`; nothing when it is none of the simple ways.
std::optional<Operand> broadcast_access(const Extents& shape, const Extents& target);

}  // namespace gradus
