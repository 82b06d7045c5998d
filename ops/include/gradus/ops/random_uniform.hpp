#pragma once

#include <cstdint>

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// The entries of a generator's state are whole numbers below this: floats hold them exactly.
inline constexpr std::int64_t generator_limit = 1 << 24;

/// Uniform numbers in [0, 1), multiples of 2^-24, by a generator's state, a stream and the element's place.
/// They depend on nothing else. The state [4] has whole numbers below 2^24: two of a key, two that count; see
/// `Mode::generator` for one that advances. No gradient. Error for a state of another shape.
Expr random_uniform(Arg generator, std::int64_t stream, const Shape& shape);

/// Standard normal numbers (mean 0, deviation 1), at most 6.8 from 0, from a generator's state in the same
/// way: the same numbers with every instruction set and C library, and in float those of double, rounded.
Expr random_normal(Arg generator, std::int64_t stream, const Shape& shape);

}  // namespace gradus
