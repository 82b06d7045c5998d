#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace gradus {

/// Tells on the standard error how far a piece of work is while the object lives, once that takes longer than
/// a second: on a terminal in one line, which is overwritten and removed in the end; elsewhere in lines that
/// become rarer, after 10 seconds, 20, 40 and so on. A thread of its own prints, so that work that says
/// nothing of itself is told of by the time that it has taken.
class Progress {
 public:
  /// How it is printed.
  struct Options {
    std::function<void(std::string_view)> print = {};  ///< if empty, to the standard error
    std::optional<bool> live = {};  ///< whether a line may be overwritten; by default, on a terminal
    double first = 1;               ///< seconds before the first word, where it is live
    double first_line = 10;         ///< seconds before the first line, where it is not
  };

  /// `what` is done, "reading flats.csv".
  explicit Progress(const std::string& what) : Progress(what, Options{}) {}
  Progress(const std::string& what, Options options);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Tells how much of it is done; from any thread. `all` is 0 while that is not known. The time that is left
  /// is told by what was done since the count began: where it falls, or `all` becomes another, it begins
  /// anew, and what is said to be done by then took none of that time.
  void at(std::int64_t done, std::int64_t all);

 private:
  void show();
  std::string text(double seconds) const;
  std::string left_text(double seconds) const;
  double seconds_so_far() const;

  std::string what_;
  Options options_;
  bool live_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::mutex mutex_;  // for all that follows
  std::int64_t done_ = 0;
  std::int64_t all_ = 0;
  std::int64_t first_ = 0;   // done when the count began
  double since_ = 0;         // seconds from the start to that
  std::int64_t counts_ = 0;  // that were begun
  std::condition_variable ended_;
  bool has_ended_ = false;
  std::thread thread_;
};

/// The result of work that is told of as `what` while it lasts.
template <class Work> auto with_progress(const std::string& what, Work work) {
  const Progress progress(what);
  return work();
}

}  // namespace gradus
