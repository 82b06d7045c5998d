#pragma once

namespace gradus::cli {

/// While it lives, SIGINT and SIGTERM ask a training to end instead of ending the program; a second one ends
/// it at once, unless it comes within the same moment: programs as timeout send each signal twice. One that
/// the caller ignores, as nohup does, stays ignored. There is one of it at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The number of the first signal that came to any of them, or 0.
  static int received();
};

}  // namespace gradus::cli
