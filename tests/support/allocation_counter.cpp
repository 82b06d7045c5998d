#include "tests/support/allocation_counter.hpp"

#include <dlfcn.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GRADUS_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define GRADUS_SANITIZED
#endif
#endif

namespace gradus::test {

namespace {
// The counters of this thread, if it has any: OpenBLAS's idle threads allocate when they please.
constinit thread_local bool counting = false;
constinit thread_local std::size_t counted = 0;
constinit thread_local std::size_t counted_bytes = 0;
}  // namespace

bool allocations_can_be_counted() {
#ifdef GRADUS_SANITIZED
  return false;
#else
  return true;
#endif
}

AllocationCounter::AllocationCounter() {
  counted = 0;
  counted_bytes = 0;
  counting = true;
}
AllocationCounter::~AllocationCounter() { counting = false; }
std::size_t AllocationCounter::count() const { return counted; }
std::size_t AllocationCounter::bytes() const { return counted_bytes; }

}  // namespace gradus::test

#ifndef GRADUS_SANITIZED

namespace {

void count(std::size_t bytes) {
  if (!gradus::test::counting) return;
  ++gradus::test::counted;
  gradus::test::counted_bytes += bytes;
}

// The C library's own function. Not a static local: its guard could not be entered again by a dlsym that
// allocates.
template <class Function> Function* next(std::atomic<Function*>& known, const char* name) {
  Function* function = known.load(std::memory_order_acquire);
  if (function == nullptr) {
    function = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
    known.store(function, std::memory_order_release);
  }
  return function;
}

// Memory that dlsym itself may calloc while the real calloc is being looked up; it is never given back.
constinit std::array<unsigned char, 4096> early{};
constinit std::atomic<std::size_t> early_used = 0;
thread_local bool looking_up = false;

}  // namespace

extern "C" {

void* malloc(std::size_t size) noexcept {
  static constinit std::atomic<void* (*)(std::size_t)> known = nullptr;
  count(size);
  return next(known, "malloc")(size);
}

void* calloc(std::size_t n, std::size_t size) noexcept {
  static constinit std::atomic<void* (*)(std::size_t, std::size_t)> known = nullptr;
  if (looking_up) return &early[early_used.fetch_add((n * size + 15) / 16 * 16)];
  count(n * size);
  looking_up = true;
  auto* function = next(known, "calloc");
  looking_up = false;
  return function(n, size);
}

void free(void* pointer) noexcept {
  static constinit std::atomic<void (*)(void*)> known = nullptr;
  const auto* byte = static_cast<const unsigned char*>(pointer);
  if (byte >= early.data() && byte < early.data() + early.size()) return;
  next(known, "free")(pointer);
}

void* realloc(void* pointer, std::size_t size) noexcept {
  static constinit std::atomic<void* (*)(void*, std::size_t)> known = nullptr;
  count(size);
  return next(known, "realloc")(pointer, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  static constinit std::atomic<void* (*)(std::size_t, std::size_t)> known = nullptr;
  count(size);
  return next(known, "aligned_alloc")(alignment, size);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  static constinit std::atomic<void* (*)(std::size_t, std::size_t)> known = nullptr;
  count(size);
  return next(known, "memalign")(alignment, size);
}

int posix_memalign(void** pointer, std::size_t alignment, std::size_t size) noexcept {
  static constinit std::atomic<int (*)(void**, std::size_t, std::size_t)> known = nullptr;
  count(size);
  return next(known, "posix_memalign")(pointer, alignment, size);
}

void* mmap(void* address, std::size_t length, int protection, int flags, int file, off_t offset) noexcept {
  static constinit std::atomic<void* (*)(void*, std::size_t, int, int, int, off_t)> known = nullptr;
  count(length);
  return next(known, "mmap")(address, length, protection, flags, file, offset);
}

}  // extern "C"

#endif
