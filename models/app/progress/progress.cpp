#include "models/app/progress/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <new>
#include <system_error>
#include <utility>

#include "models/data/printable.hpp"
#include "models/train/progress_text.hpp"

namespace gradus {

Progress::Progress(const std::string& what, Options options)
    : what_(printable(what)),
      options_(std::move(options)),
      live_(options_.live.value_or(isatty(STDERR_FILENO) != 0)) {
  if (!options_.print)
    options_.print = [](std::string_view text) {
      std::fwrite(text.data(), 1, text.size(), stderr);
      std::fflush(stderr);
    };
  // Nothing is shown where no thread can be had, or no memory for a line: the work goes on.
  try {
    thread_ = std::thread([this] {
      try {
        show();
      } catch (const std::bad_alloc&) {
      }
    });
  } catch (const std::system_error&) {
  }
}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
  }
  ended_.notify_one();
  if (thread_.joinable()) thread_.join();
}

double Progress::seconds_so_far() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void Progress::at(std::int64_t done, std::int64_t all) {
  const std::lock_guard lock(mutex_);
  if (counts_ == 0 || all != all_ || done < done_) {
    first_ = done;
    since_ = seconds_so_far();
    ++counts_;
  }
  done_ = done;
  all_ = all;
}

void Progress::show() {
  using Seconds = std::chrono::duration<double>;
  constexpr double shown_every = 0.1;
  double next = live_ ? options_.first : options_.first_line;
  bool shown = false;
  std::unique_lock lock(mutex_);
  while (!ended_.wait_until(lock, start_ + Seconds(next), [this] { return has_ended_; })) {
    const std::string line = text(next);
    lock.unlock();  // the work does not wait for a slow terminal
    options_.print(live_ ? clear_line + line : line + "\n");
    lock.lock();
    shown = true;
    next = live_ ? next + shown_every : 2 * next;
  }
  if (shown && live_) options_.print(clear_line);
}

std::string Progress::text(double seconds) const {
  if (all_ <= 0 || done_ <= 0) return fmt::format("{}: {}", what_, duration_text(seconds));
  return fmt::format("{}: {} {}%{}", what_, bar_text(done_, all_), 100 * done_ / all_, left_text(seconds));
}

// Empty while nothing is known of the speed.
std::string Progress::left_text(double seconds) const {
  // All that was said is one number: it is taken to have begun at 0 with the work.
  const bool alone = counts_ == 1 && done_ == first_;
  const std::int64_t here = alone ? done_ : done_ - first_;
  if (here <= 0) return {};
  const double took = alone ? seconds : seconds - since_;
  return fmt::format(" ETA {}",
                     duration_text(took / static_cast<double>(here) * static_cast<double>(all_ - done_)));
}

}  // namespace gradus
