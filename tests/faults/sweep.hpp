#pragma once

#include <string>
#include <vector>

#include "tests/faults/job.hpp"

namespace gradus::faults {

/// How a run may fail its judge.
enum class Fault : std::uint8_t {
  crash,     ///< it ended by a signal
  hang,      ///< it had to be ended
  lost,      ///< a file that was there is gone, or neither the old nor the new one
  litter,    ///< a file is left that is no output
  half,      ///< an output is not whole
  silent,    ///< the status is 0, and an output is not what it should be
  lies,      ///< the message blames what is not to blame
  unsaid,    ///< the message does not say what failed
  impatient  ///< a call that was interrupted, or did only a part, was not taken up again
};
constexpr std::array<std::string_view, 9> fault_names{"crash",  "hang", "lost",   "litter",   "half",
                                                      "silent", "lies", "unsaid", "impatient"};

struct Failure {
  Fault fault;
  std::string what;  ///< the job, GRADUS_FAULT, and how it ended
};

/// What a sweep found.
struct Tally {
  std::uint64_t runs = 0;
  std::uint64_t struck = 0;  ///< calls that failed
  std::vector<Failure> failures;
};

/// Which faults are tried.
struct SweepOptions {
  std::uint64_t most = 0;        ///< calls of a kind that are failed, evenly chosen; 0: every one
  std::vector<Kind> calls = {};  ///< of these kinds; empty: of all
};

/// Runs a job with each of the faults: each call of a kind, with each error that it may have, once and from
/// then on. The same options always choose the same calls.
std::map<Kind, Tally> sweep(Runner& runner, const Job& job, const SweepOptions& options);

}  // namespace gradus::faults
