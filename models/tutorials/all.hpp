#pragma once

#include <string_view>
#include <vector>

#include "models/tutorials/tutorial.hpp"

namespace GRADUS_PUBLIC gradus {

/// All tutorials, from the simplest on.
const std::vector<const Tutorial*>& tutorials();

/// Error listing the names that exist when there is none of this name.
const Tutorial& find_tutorial(std::string_view name);

}  // namespace gradus
