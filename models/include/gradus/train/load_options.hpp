#pragma once

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// Lets pass, when a file is loaded, values that are refused otherwise.
struct LoadOptions {
  bool not_finite = false;  ///< numbers that are infinite or NaN, or become so in the store's type
  bool any_format = false;  ///< weights whose metadata name a format of ours that this version does not know
};

}  // namespace gradus
