#pragma once

#include <cstdint>
#include <string>

#include "gradus/framework/graph/graph.hpp"
#include "gradus/models/initializers.hpp"

namespace GRADUS_PUBLIC gradus {

struct LinearOptions {
  Initializer weights = glorot_uniform();
  Initializer bias = zeros();
  bool has_bias = true;
};

/// x [B, in] · W [in, units] + b [units] → [B, units], with new parameters "<name>/W" and "<name>/b". The
/// nodes carry the caller's line.
Expr linear(const Expr& x, std::int64_t units, const std::string& name, const LinearOptions& options = {},
            Location where = Location::current());

}  // namespace gradus
