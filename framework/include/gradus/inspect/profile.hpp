#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gradus/runtime/executable.hpp"

namespace GRADUS_PUBLIC gradus {

/// The cost of one step of a plan in a run.
struct StepCost {
  std::string ops;         ///< "matmul add relu"
  std::string name;        ///< of the first result: the user's, or "%7 [32, 128]"
  double nanoseconds = 0;  ///< median
  double flop = 0;         ///< additions, multiplications and elementary functions, one each
  double bytes = 0;        ///< of operands and results, as if nothing were in a cache
};

/// The cost of each step of a run.
struct Profile {
  std::vector<StepCost> steps;  ///< in order
  double run_nanoseconds = 0;   ///< median of runs without a clock between the steps
};

/// Runs the program, fed, `times` times as it is and as often step by step. Updates are made as by `run`.
template <class T> Profile profile(Executable<T>& executable, std::size_t times);

/// A table, a line a step: ns, share of the sum, FLOP, GFLOP/s, bytes; then the sum against the whole run.
std::string profile_text(const Profile& profile);

/// The version for float.
extern template Profile profile(Executable<float>&, std::size_t);
/// The version for double.
extern template Profile profile(Executable<double>&, std::size_t);

}  // namespace gradus
