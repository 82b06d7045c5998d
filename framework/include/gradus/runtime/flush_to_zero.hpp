#pragma once

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// While it lives, denormal numbers count as zero in this thread, in and out (they are a hundred times
/// slower, and Adam drives weights into them). Every run makes one; as to look at the processor's flags takes
/// some nanoseconds, a loop over the runs of a tiny net is faster within another. The first of a thread sets
/// the flags, and the last to go restores them; what changes them in between, such as `_mm_setcsr`, is not
/// seen.
class FlushToZero {
 public:
  FlushToZero();
  ~FlushToZero();
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;
};

}  // namespace gradus
