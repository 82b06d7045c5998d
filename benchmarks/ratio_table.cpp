#include "ratio_table.hpp"

#include <fmt/format.h>

#include <utility>

namespace gradus::benchmarks {

void RatioReporter::ReportRuns(const std::vector<Run>& runs) {
  inner_.ReportRuns(runs);
  for (const Run& run : runs) {
    has_errors_ |= run.error_occurred;
    if (run.error_occurred || (run.run_type == Run::RT_Aggregate && run.aggregate_name != "median")) continue;
    // ".../<contender>"; options given on the command line are not part of the function's name.
    const std::string& name = run.run_name.function_name;
    const std::size_t slash = name.rfind('/');
    const std::string work = name.substr(0, slash);
    works_.emplace(run.family_index, work);
    const auto samples = run.counters.find("items_per_second");
    // Aggregates come last and replace single repetitions.
    by_work_[work][name.substr(slash + 1)] = {
        run.GetAdjustedCPUTime() / benchmark::GetTimeUnitMultiplier(run.time_unit) * 1e6,
        samples == run.counters.end() ? 0 : samples->second.value, run.report_label};
  }
}

std::string RatioReporter::markdown() const {
  auto by_work = by_work_;
  std::string table;
  for (const auto& [family, work] : works_) {
    // A work has a family for each contender: taking it out prints it once.
    const Results results = std::exchange(by_work[work], {});
    const auto ours = results.find("gradus");
    const auto theirs = results.find("handwritten");
    if (ours == results.end() || theirs == results.end()) continue;
    table += fmt::format("| {} | {:.4g} | {:.4g} | {:.2f} | {:.4g} | {} |\n", work, ours->second.microseconds,
                         theirs->second.microseconds, ours->second.microseconds / theirs->second.microseconds,
                         ours->second.samples_per_second, theirs->second.label);
  }
  if (table.empty()) return {};
  return "| work | gradus µs | hand-written µs | ratio | samples/s | hand-written flags |\n"
         "|---|--:|--:|--:|--:|---|\n" +
         table;
}

}  // namespace gradus::benchmarks
