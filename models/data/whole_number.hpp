#pragma once

#include <fmt/format.h>

#include <concepts>
#include <cstdint>
#include <limits>
#include <utility>

#include "gradus/base/error.hpp"
#include "models/data/json.hpp"
#include "models/data/printable.hpp"

namespace gradus {

// The number that a JSON value holds; Error unless it is written as a whole one from `least` that a Number
// can hold. What the parser itself converts, it does without a look: a fraction is cut, 1e40 is undefined
// behaviour.
template <std::integral Number> Number whole_number(const Json& value, Number least) {
  const auto fits = [&](auto number) {
    return std::in_range<Number>(number) && std::cmp_less_equal(least, number);
  };
  if (value.is_number_unsigned()) {
    if (const auto number = value.get<std::uint64_t>(); fits(number)) return static_cast<Number>(number);
  } else if (value.is_number_integer()) {
    if (const auto number = value.get<std::int64_t>(); fits(number)) return static_cast<Number>(number);
  }
  throw Error(fmt::format("expected a whole number from {} to {}, not {}", least,
                          std::numeric_limits<Number>::max(), shortened(json_text(value), 40)));
}

}  // namespace gradus
