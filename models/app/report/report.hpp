#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "models/app/report/run_report.hpp"

namespace GRADUS_PUBLIC gradus {

/// The report itself in its folder.
std::filesystem::path report_file(const std::filesystem::path& folder);

/// Makes the folder of a report, if need be. Error, before anything is trained, when it cannot be made or
/// written to, or when something lies where the report is to go.
void require_report_folder(const std::filesystem::path& folder);

/// Writes each picture as SVG and PNG, and report.html: one file with everything in it, which needs no script
/// and no network. What cannot be drawn because a program is missing is left out; `print` is told, and the
/// report says so.
void write_report(const std::filesystem::path& folder, const RunReport& report,
                  const std::function<void(std::string_view)>& print);

}  // namespace gradus
