#include "framework/runtime/workers.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <system_error>

#include "gradus/base/error.hpp"
#include "gradus/runtime/flush_to_zero.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace gradus {

namespace {

// The steps of a run follow each other within microseconds, which is less than waking a thread takes.
constexpr int spins = 4000;

// Until `value` is no longer `old`; sleeps when that takes long.
void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int i = 0; i < spins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
#if defined(__SSE2__)
    _mm_pause();
#endif
  }
  value.wait(old, std::memory_order_acquire);
}

// How many forks lie between the first process that asked and this one.
std::uint32_t forks() {
  static std::atomic<std::uint32_t> count = 0;
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++count; });
  return registered == 0 ? count.load(std::memory_order_relaxed) : 0;
}

}  // namespace

Workers::Workers(std::size_t count) : forks_(forks()), workers_(count) {
  std::size_t started = 0;
  try {
    for (; started < count; ++started)
      workers_[started].thread = std::thread([this, started] { serve(started); });
  } catch (const std::system_error& error) {
    stop();
    throw Error(
        fmt::format("{} threads are asked for, and the system starts no more than {}: {}; ask for fewer, "
                    "or allow more processes or memory",
                    count + 1, started + 1, error.code().message()));
  } catch (...) {  // memory that ran out
    stop();
    throw;
  }
}

Workers::~Workers() { stop(); }

void Workers::stop() {
  stopping_ = true;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  const bool here = are_here();
  for (Worker& worker : workers_) {
    if (!worker.thread.joinable()) continue;
    if (here)
      worker.thread.join();
    else
      worker.thread.detach();
  }
}

bool Workers::are_here() const { return forks_ == forks(); }

void Workers::run_parts(PartFunction function, const void* context) {
  if (!are_here()) {
    for (std::size_t i = 0; i <= workers_.size(); ++i) function(context, i);
    return;
  }
  function_ = function;
  context_ = context;
  left_.store(static_cast<std::uint32_t>(workers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  std::exception_ptr failure;
  try {
    function(context, 0);
  } catch (...) {
    failure = std::current_exception();
  }
  for (std::uint32_t left; (left = left_.load(std::memory_order_acquire)) != 0;) wait_while(left_, left);
  for (Worker& worker : workers_)
    if (auto thrown = std::exchange(worker.failure, nullptr); failure == nullptr) failure = thrown;
  if (failure != nullptr) std::rethrow_exception(failure);
}

void Workers::serve(std::size_t index) {
  const FlushToZero flush;
  for (std::uint32_t seen = 0;; ++seen) {
    wait_while(round_, seen);
    if (stopping_) return;
    try {
      function_(context_, index + 1);
    } catch (...) {
      workers_[index].failure = std::current_exception();
    }
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) left_.notify_one();
  }
}

}  // namespace gradus
