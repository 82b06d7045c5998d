#pragma once

#include <string_view>

namespace gradus {

/// Whether a pattern matches the whole name: `*` stands for any bytes, `?` for any one.
bool matches(std::string_view pattern, std::string_view name);

}  // namespace gradus
