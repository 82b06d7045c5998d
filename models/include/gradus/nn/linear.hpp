#pragma once

#include <cstdint>
#include <string>

#include "gradus/graph/graph.hpp"
#include "gradus/nn/initializers.hpp"

namespace GRADUS_PUBLIC gradus {

/// How a linear layer starts.
struct LinearOptions {
  Initializer weights = glorot_uniform();  ///< [inputs, units]
  Initializer bias = zeros();              ///< [units]
  bool has_bias = true;                    ///< whether a bias is added
};

/// x [B, in] · W [in, units] + b [units] → [B, units], with new parameters "<name>/W" and "<name>/b". The
/// nodes carry the caller's line.
Expr linear(const Expr& x, std::int64_t units, const std::string& name, const LinearOptions& options = {},
            Location where = Location::current());

}  // namespace gradus
