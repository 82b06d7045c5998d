#include "models/app/cli/stop_signals.hpp"

#include <unistd.h>

#include <array>
#include <csignal>
#include <string_view>

namespace gradus::cli {

namespace {

constexpr std::array<int, 2> watched{SIGINT, SIGTERM};
std::array<struct sigaction, watched.size()> before;
volatile std::sig_atomic_t first = 0;

void take(int signal) {
  if (first != 0) {
    std::signal(signal, SIG_DFL);
    raise(signal);
    return;
  }
  first = signal;
  constexpr std::string_view text = "\ngradus: ending after this step; once more ends at once\n";
  // Where nobody can be told, there is nothing to be done.
  if (write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

}  // namespace

StopSignals::StopSignals() {
  struct sigaction action {};
  action.sa_handler = take;
  action.sa_flags = SA_RESTART;
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
