#pragma once

#include <optional>
#include <string>

#include "gradus/inspect/node_values.hpp"

namespace GRADUS_PUBLIC gradus {

/// The node at which a NaN or an infinity began.
struct NanTrace {
  std::string node;  ///< "log#7 [B, 3]"
  Location where;    ///< the user's line
  std::string text;  ///< one paragraph: the node, its line, the first bad entry, and each input's range
};

/// The first node that is not finite although its inputs are, or the leaf that was not to begin with.
/// Recomputes the expressions node by node, in T; nothing when all is finite.
template <class T = double>
std::optional<NanTrace> trace_nan(std::span<const Expr> exprs, const Point& point, std::int64_t batch);

}  // namespace gradus
