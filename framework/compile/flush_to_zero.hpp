#pragma once

#include "gradus/framework/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// While it lives, denormal numbers count as zero in this thread, in and out (they are a hundred times
/// slower, and Adam drives weights into them). Every run makes one; as to look at the processor's flags takes
/// some nanoseconds, a loop over the runs of a tiny net is faster within another. What changes the flags
/// behind its back, such as
/// `_mm_setcsr`, is not seen until it ends.
class FlushToZero {
 public:
  FlushToZero();
  ~FlushToZero();
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;

 private:
  unsigned before_ = 0;
  bool is_inner_;
};

}  // namespace gradus
