#include "models/app/cli/training_run.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "gradus/data/atomic_file.hpp"
#include "models/app/cli/standard_output.hpp"
#include "models/app/cli/stop_signals.hpp"
#include "models/app/report/report.hpp"

namespace gradus::cli {

void run_and_report(TrainOptions& shared, const std::string& data, const std::string& out,
                    const std::function<RunReport()>& train) {
  shared.print = [](std::string_view text) {
    print_text(text);
    flush_output();
  };
  shared.pictures = !out.empty();
  require_distinct(std::vector<NamedFile>{{"data", data, false},
                                          {"save", shared.files.weights},
                                          {"history", shared.files.history},
                                          {"checkpoint", shared.files.checkpoint},
                                          {"report_folder", shared.pictures ? report_file(out) : ""}});
  if (shared.pictures) require_report_folder(out);
  std::string missing;
  const auto is_missing = [&](const std::string& why) {
    missing += fmt::format("{}{}", missing.empty() ? "" : "\n", why);
  };
  shared.files.on_file = [&](const std::string& file, const std::string& why) {
    if (!why.empty())
      is_missing(why);
    else if (file == shared.files.weights)
      shared.print(fmt::format("saved {}\n", file));
  };
  shared.files.interrupted = [] { return StopSignals::received() != 0; };
  const RunReport report = [&] {
    const StopSignals signals;
    return train();
  }();
  try {
    if (shared.pictures) write_report(out, report, shared.print);
  } catch (const Error& error) {
    is_missing(error.what());
  }
  if (!missing.empty()) throw Error(missing);
}

}  // namespace gradus::cli
