#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "gradus/graph/shape.hpp"

namespace GRADUS_PUBLIC gradus {

/// Fills a new parameter with its starting values.
///
/// `extents`: the parameter's sizes; `seed`: this parameter's own seed (two parameters of one run must get
/// different ones); `values`: the elements to write, row-major, as many as the product of `extents`. The same
/// extents and seed give the same values. Computed in double whatever the parameter's element type is.
using Initializer = std::function<void(const Extents& extents, std::uint64_t seed, std::span<double> values)>;

}  // namespace gradus
