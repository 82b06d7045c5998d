#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gradus::benchmarks {

/// Passes everything on to the library's own reporter, and keeps the medians for a table of ratios.
class RatioReporter final : public benchmark::BenchmarkReporter {
 public:
  RatioReporter() : inner_(*benchmark::CreateDefaultDisplayReporter()) {}

  bool ReportContext(const Context& context) override { return inner_.ReportContext(context); }
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override { inner_.Finalize(); }

  bool has_errors() const { return has_errors_; }

  /// A Markdown table of what both contenders have done: medians of processor time, or the last repetition
  /// where the repetitions are too few for a median. Empty when there is no pair.
  std::string markdown() const;

 private:
  struct Result {
    double microseconds = 0;
    double samples_per_second = 0;
    std::string label;
  };
  // By contender.
  using Results = std::map<std::string, Result>;

  benchmark::BenchmarkReporter& inner_;
  // In the order of registration, which random interleaving does not keep.
  std::map<std::int64_t, std::string> works_;
  std::map<std::string, Results> by_work_;
  bool has_errors_ = false;
};

}  // namespace gradus::benchmarks
