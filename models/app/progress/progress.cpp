#include "models/app/progress/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <utility>

#include "models/train/progress_text.hpp"

namespace gradus {

Progress::Progress(std::string what, Options options)
    : what_(std::move(what)),
      options_(std::move(options)),
      live_(options_.live.value_or(isatty(STDERR_FILENO) != 0)) {
  if (!options_.print)
    options_.print = [](std::string_view text) {
      std::fwrite(text.data(), 1, text.size(), stderr);
      std::fflush(stderr);
    };
  thread_ = std::thread([this] { show(); });
}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

void Progress::at(std::int64_t done, std::int64_t all) {
  done_ = done;
  all_ = all;
}

void Progress::show() {
  using Seconds = std::chrono::duration<double>;
  constexpr double shown_every = 0.1;
  const auto start = std::chrono::steady_clock::now();
  double next = live_ ? options_.first : options_.first_line;
  bool shown = false;
  std::unique_lock lock(mutex_);
  while (!ended_.wait_until(lock, start + Seconds(next), [this] { return has_ended_; })) {
    const std::string line = text(next);
    options_.print(live_ ? clear_line + line : line + "\n");
    shown = true;
    next = live_ ? next + shown_every : 2 * next;
  }
  if (shown && live_) options_.print(clear_line);
}

std::string Progress::text(double seconds) const {
  const std::int64_t done = done_, all = all_;
  if (all <= 0 || done <= 0) return fmt::format("{}: {}", what_, duration_text(seconds));
  const double left = seconds / static_cast<double>(done) * static_cast<double>(all - done);
  return fmt::format("{}: {} {}% ETA {}", what_, bar_text(done, all), 100 * done / all, duration_text(left));
}

}  // namespace gradus
