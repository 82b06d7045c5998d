#pragma once

#include <stdexcept>
#include <string>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// Every error that gradus reports. `what()` names the thing, the place and, where there is one, the remedy.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace gradus
