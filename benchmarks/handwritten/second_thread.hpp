#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

namespace gradus::benchmarks {

// Does its job whenever it is told to, while the caller does something else.
class SecondThread {
 public:
  explicit SecondThread(std::function<void()> job)
      : thread_([this, job = std::move(job)] {
          for (unsigned seen = 0;; ++seen) {
            begun_.wait(seen);
            if (stop_) return;
            job();
            done_.store(seen + 1);
            done_.notify_one();
          }
        }) {}
  SecondThread(const SecondThread&) = delete;
  SecondThread& operator=(const SecondThread&) = delete;
  ~SecondThread() {
    stop_ = true;
    begin();
    thread_.join();
  }

  void begin() {
    begun_.fetch_add(1);
    begun_.notify_one();
  }
  void wait() {
    // begun_ is written by this side only.
    const unsigned begun = begun_.load();
    for (unsigned done = done_.load(); done != begun; done = done_.load()) done_.wait(done);
  }

 private:
  std::atomic<unsigned> begun_ = 0;
  std::atomic<unsigned> done_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace gradus::benchmarks
