#include "gradus/framework/compile/flush_to_zero.hpp"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace gradus {

namespace {

// Of this thread. The model saves a call where the library is shared.
[[gnu::tls_model("initial-exec")]] constinit thread_local bool flushing = false;

#if defined(__SSE2__)
constexpr unsigned flags = 0x8040;  // flush to zero, denormals are zero
unsigned control() { return _mm_getcsr(); }
void set_control(unsigned value) { _mm_setcsr(value); }
#else
constexpr unsigned flags = 0;
unsigned control() { return 0; }
void set_control(unsigned) {}
#endif

}  // namespace

FlushToZero::FlushToZero() : is_inner_(flushing) {
  if (is_inner_) return;
  before_ = control();
  if ((before_ & flags) != flags) set_control(before_ | flags);
  flushing = true;
}

FlushToZero::~FlushToZero() {
  if (is_inner_) return;
  if ((before_ & flags) != flags) set_control(before_);
  flushing = false;
}

}  // namespace gradus
