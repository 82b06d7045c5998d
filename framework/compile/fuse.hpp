#pragma once

#include <optional>
#include <vector>

#include "framework/compile/plan.hpp"

namespace GRADUS_PUBLIC gradus {

/// The steps that compute a program, in the order of their last nodes' ids; values not yet assigned.
///
/// A group is an elementwise node with all the elementwise nodes that only it, or nodes already in the group,
/// read. Such a node's every path leads into the group, so no path leaves and comes back: groups can be run
/// as one step. What an output or an update wants of a group is stored on the way. For the same reason an op
/// that one group alone reads, element for element, can become part of it: its output never leaves the cache.
std::vector<Step> make_steps(const Program& program, std::int64_t batch, std::size_t element_bytes,
                             bool fuse);

/// How `shape` is read when it is broadcast to `target`; nothing when it is none of the simple ways.
std::optional<Operand> broadcast_access(const Extents& shape, const Extents& target);

/// The node behind any views, whose buffer `id` shares.
NodeId origin(const Graph& graph, NodeId id);

}  // namespace gradus
