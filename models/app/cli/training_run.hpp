#pragma once

#include <functional>
#include <string>

#include "models/app/report/run_report.hpp"
#include "models/tutorials/tutorial.hpp"

/// The part that the commands `train NAME` and `train mlp` share.
namespace gradus::cli {

/// Calls `train`, which prints by `shared.print` and writes `shared.files`, and writes its report into the
/// folder `out`, unless that is empty. OptionError before anything is trained where one file has two
/// purposes, `data` among them, or the folder cannot be written. A file that cannot be written costs no
/// other: Error once all have been tried. SIGINT and SIGTERM end the training after a step: Interrupted.
void run_and_report(TrainOptions& shared, const std::string& data, const std::string& out,
                    const std::function<RunReport()>& train);

}  // namespace gradus::cli
