#pragma once

#include <string>
#include <vector>

#include "models/app/report/run_report.hpp"

namespace GRADUS_PUBLIC gradus {

/// A picture as the report takes it up.
struct DrawnPicture {
  std::string title;    ///< a line
  std::string caption;  ///< what to see in it
  std::string svg;      ///< the drawing itself
  bool wide = false;    ///< shown in its own size, to be scrolled; else fitted to the page
};

/// The page itself. `left_out` says which pictures are missing, and why.
std::string report_html(const RunReport& report, const std::vector<DrawnPicture>& pictures,
                        const std::vector<std::string>& left_out, const Facts& machine);

/// The machine that runs this program: processor, kernels in use, system, compiler.
Facts machine_facts();

}  // namespace gradus
