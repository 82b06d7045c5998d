// Makes every call of every command fail in turn:
//
//   sweep_faults [--most N] [--job NAME]... [--call KIND]... [--verbose] [--program FILE] [--library FILE]
//
// All allocations and all calls of the system, or N of each kind and command. Put $TMPDIR where writing is
// cheap, such as /dev/shm. The status is 1 when a run did not fail as it should, 2 when nothing was swept.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>

#include "tests/faults/sweep.hpp"
#include "tests/support/folder.hpp"

namespace {

using namespace gradus::faults;

struct Arguments {
  SweepOptions sweep;
  std::set<std::string> jobs;
  std::string program = GRADUS_PROGRAM, library = GRADUS_LIBRARY;
  bool verbose = false;
};

Arguments arguments_of(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--verbose") {
      arguments.verbose = true;
      continue;
    }
    if (i + 1 == argc) throw std::runtime_error(option + " is no option, or lacks its value");
    const std::string value = argv[i + 1];
    if (option == "--most") {
      arguments.sweep.most = std::stoull(value);
    } else if (option == "--program") {
      arguments.program = value;
    } else if (option == "--library") {
      arguments.library = value;
    } else if (option == "--job") {
      arguments.jobs.insert(value);
    } else if (option == "--call") {
      const auto* const kind = std::ranges::find(kind_names, value);
      if (kind == kind_names.end()) throw std::runtime_error("there is no call " + value);
      arguments.sweep.calls.push_back(static_cast<Kind>(kind - kind_names.begin()));
    } else {
      throw std::runtime_error("there is no option " + option);
    }
    ++i;
  }
  return arguments;
}

std::string counted(const std::vector<Failure>& failures) {
  std::string text;
  for (std::size_t f = 0; f < fault_names.size(); ++f)
    if (const auto n = std::ranges::count(failures, static_cast<Fault>(f), &Failure::fault); n > 0)
      text += fmt::format(" {} {}", n, fault_names[f]);
  return text.empty() ? " all as it should be" : text;
}

}  // namespace

int main(int argc, char** argv) try {
  const Arguments arguments = arguments_of(argc, argv);
  const gradus::test::TemporaryFolder folder;
  Runner runner(folder.path(), GRADUS_SHIM);
  std::map<Kind, Tally> all;
  for (const Job& job : all_jobs(runner, arguments.program, arguments.library)) {
    if (!arguments.jobs.empty() && !arguments.jobs.contains(job.name)) continue;
    for (auto& [kind, tally] : sweep(runner, job, arguments.sweep)) {
      if (tally.runs == 0) continue;
      fmt::print("{:28} {:10} {:7} runs:{}\n", job.name, kind_names[static_cast<std::size_t>(kind)],
                 tally.runs, counted(tally.failures));
      if (arguments.verbose)
        for (const Failure& failure : tally.failures) fmt::print("  {}\n", failure.what);
      std::fflush(stdout);
      Tally& sum = all[kind];
      sum.runs += tally.runs;
      sum.struck += tally.struck;
      sum.failures.insert(sum.failures.end(), tally.failures.begin(), tally.failures.end());
    }
  }
  bool is_right = true;
  for (const auto& [kind, tally] : all) {
    fmt::print("{:28} {:10} {:7} runs, {} calls failed:{}\n", "ALL",
               kind_names[static_cast<std::size_t>(kind)], tally.runs, tally.struck, counted(tally.failures));
    is_right = is_right && tally.failures.empty();
  }
  return is_right ? 0 : 1;
} catch (const std::exception& error) {
  fmt::print(stderr, "sweep_faults: {}\n", error.what());
  return 2;
}
