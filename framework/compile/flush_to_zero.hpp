#pragma once

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "gradus/framework/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// While it lives, denormal numbers count as zero, in and out (they are a hundred times slower, and Adam
/// drives weights into them). Sets the flags only where they are not set already.
class FlushToZero {
 public:
#if defined(__SSE2__)
  FlushToZero() : before_(_mm_getcsr()) {
    if ((before_ & flags) != flags) _mm_setcsr(before_ | flags);
  }
  ~FlushToZero() {
    if ((before_ & flags) != flags) _mm_setcsr(before_);
  }
#else
  FlushToZero() = default;
  ~FlushToZero() = default;
#endif
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;

 private:
#if defined(__SSE2__)
  static constexpr unsigned flags = 0x8040;  // flush to zero, denormals are zero
  unsigned before_;
#endif
};

}  // namespace gradus
