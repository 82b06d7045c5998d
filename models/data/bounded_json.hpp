#pragma once

#include <cstddef>
#include <string_view>

#include "gradus/base/public.hpp"
#include "models/data/json.hpp"

namespace GRADUS_PUBLIC gradus {

/// More levels of lists and objects than any of our files has; what goes through them may be recursive.
inline constexpr std::size_t most_json_levels = 32;

/// The JSON value that an untrusted text is; Error, which gives only the reason, or nlohmann's own, when it
/// is none, nests lists and objects deeper, or gives a name twice in one object.
Json parsed_json(std::string_view text);

}  // namespace gradus
