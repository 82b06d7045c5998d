#pragma once

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// What is loaded from a file only when it is asked for.
struct LoadOptions {
  bool not_finite = false;  ///< numbers that are infinite or NaN, or become so in the store's type
  bool any_format = false;  ///< weights whose metadata name a format of ours that this version does not know
};

}  // namespace gradus
