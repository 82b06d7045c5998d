#include "models/app/cli/stop_signals.hpp"

#include <unistd.h>

#include <array>
#include <csignal>
#include <ctime>
#include <string_view>

namespace gradus::cli {

namespace {

constexpr std::array<int, 2> watched{SIGINT, SIGTERM};
std::array<struct sigaction, watched.size()> before;
volatile std::sig_atomic_t first = 0;
timespec first_at{};

// Since the first one.
double seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (first_at.tv_sec == 0) first_at = now;
  return static_cast<double>(now.tv_sec - first_at.tv_sec) +
         static_cast<double>(now.tv_nsec - first_at.tv_nsec) * 1e-9;
}

// One signal at a time: each holds back the others.
void take(int signal) {
  constexpr double same_moment = 0.3;  // seconds
  const double seconds = seconds_now();
  if (first != 0) {
    if (seconds < same_moment) return;
    std::signal(signal, SIG_DFL);
    raise(signal);
    return;
  }
  first = signal;
  constexpr std::string_view text = "\ngradus: ending after this step; once more ends at once\n";
  // If nobody can be told, there is nothing to be done.
  if (write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

}  // namespace

StopSignals::StopSignals() {
  struct sigaction action {};
  action.sa_handler = take;
  action.sa_flags = SA_RESTART;
  for (const int signal : watched) sigaddset(&action.sa_mask, signal);
  for (std::size_t i = 0; i < watched.size(); ++i) {
    sigaction(watched[i], nullptr, &before[i]);
    if (before[i].sa_handler != SIG_IGN) sigaction(watched[i], &action, nullptr);
  }
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < watched.size(); ++i) sigaction(watched[i], &before[i], nullptr);
}

int StopSignals::received() { return first; }

}  // namespace gradus::cli
