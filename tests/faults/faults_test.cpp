// Some of each command's allocations and calls of the system are made to fail; `sweep_faults` fails them all,
// and the commands that draw, too.
#include <gtest/gtest.h>

#include "models/app/plot/draw.hpp"
#include "tests/faults/sweep.hpp"
#include "tests/support/folder.hpp"

namespace gradus::faults {
namespace {

void expect_right(const std::map<Kind, Tally>& tallies, std::uint64_t& struck) {
  for (const auto& [kind, tally] : tallies) {
    struck += tally.struck;
    for (const Failure& failure : tally.failures) ADD_FAILURE() << failure.what;
  }
}

TEST(Faults, NoneCrashesLosesOrLies) {
  // Nothing is worth keeping, so nothing need be forced to a disk.
  if (std::filesystem::is_directory("/dev/shm")) setenv("TMPDIR", "/dev/shm", 0);
  const test::TemporaryFolder folder;
  Runner runner(folder.path(), GRADUS_SHIM);
  std::uint64_t struck = 0;
  for (const Job& job : all_jobs(runner, GRADUS_PROGRAM, GRADUS_LIBRARY)) {
    if (job.draws) continue;
    expect_right(sweep(runner, job, {.most = 6, .calls = {Kind::malloc}}), struck);
    SweepOptions others{.most = 1};
    for (std::size_t k = 0; k < kinds; ++k)
      if (static_cast<Kind>(k) != Kind::malloc) others.calls.push_back(static_cast<Kind>(k));
    expect_right(sweep(runner, job, others), struck);
  }
  EXPECT_GT(struck, 500U);  // the shim was there
}

TEST(Faults, OfTheSearchForAProgramAreNotItsAbsence) {
  if (!can_draw_graphs()) GTEST_SKIP() << "graphviz is not installed";
  const test::TemporaryFolder folder;
  Runner runner(folder.path(), GRADUS_SHIM);
  std::uint64_t struck = 0;
  for (const Job& job : all_jobs(runner, GRADUS_PROGRAM, GRADUS_LIBRARY))
    if (job.name == "graph --format svg")
      expect_right(sweep(runner, job, {.calls = {Kind::stat, Kind::access}}), struck);
  EXPECT_GT(struck, 5U);
}

}  // namespace
}  // namespace gradus::faults
