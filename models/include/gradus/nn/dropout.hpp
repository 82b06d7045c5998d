#pragma once

#include <string>

#include "gradus/nn/mode.hpp"

namespace GRADUS_PUBLIC gradus {

/// In training, each element is 0 with probability `rate` and divided by 1 − rate otherwise, independently
/// and anew each step; at inference x itself. Which elements depends on the store's seed, the step and the
/// name: Error for two of one name in a graph, and from `compile` for a program that trains without
/// `mode.updates()`, whose mask would stay the same for ever. Error unless 0 <= rate < 1. N. Srivastava et
/// al., "Dropout", 2014.
Expr dropout(const Expr& x, double rate, const std::string& name, Mode& mode,
             Location where = Location::current());

}  // namespace gradus
