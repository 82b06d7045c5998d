#include "gradus/runtime/flush_to_zero.hpp"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace gradus {

namespace {

struct Flushing {
  unsigned depth;   // how many live
  unsigned before;  // the flags before the first
};
// Each thread has its own. The TLS model saves a call where the library is shared.
[[gnu::tls_model("initial-exec")]] constinit thread_local Flushing flushing{0, 0};

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

FlushToZero::FlushToZero() {
  if (flushing.depth++ > 0) return;
  flushing.before = control();
  if ((flushing.before & flags) != flags) set_control(flushing.before | flags);
}

FlushToZero::~FlushToZero() {
  if (--flushing.depth > 0) return;
  if ((flushing.before & flags) != flags) set_control(flushing.before);
}

}  // namespace gradus
