#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace gradus {

/// Threads that wait for their part of a step. The caller's thread does part 0 and worker i part i + 1,
/// always: what a part computes does not depend on who was faster. In a child of fork, which has no threads
/// but its own, the caller's thread does all parts.
class Workers {
 public:
  /// Error when the system does not start so many.
  explicit Workers(std::size_t count);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Calls `part(i)` for each i, of which there are one more than workers, and returns when they are done;
  /// allocates nothing. Throws what the first part that failed threw.
  template <class F> void run(const F& part) {
    run_parts([](const void* context, std::size_t i) { (*static_cast<const F*>(context))(i); }, &part);
  }

 private:
  struct Worker {
    std::exception_ptr failure;
    std::thread thread;
  };
  using PartFunction = void (*)(const void* context, std::size_t part);
  void run_parts(PartFunction function, const void* context);
  void serve(std::size_t index);
  void stop();
  bool are_here() const;

  PartFunction function_ = nullptr;
  const void* context_ = nullptr;
  std::atomic<std::uint32_t> round_{0};  // one more for each run
  std::atomic<std::uint32_t> left_{0};   // workers that are not done
  bool stopping_ = false;
  std::uint32_t forks_;  // of the process, when the threads were started
  std::vector<Worker> workers_;
};

}  // namespace gradus
