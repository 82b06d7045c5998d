#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/train/history.hpp"
#include "models/app/plot/picture.hpp"

namespace GRADUS_PUBLIC gradus {

/// Things and what is to be said of them: "learning rate", "0.3".
using Facts = std::vector<std::pair<std::string, std::string>>;

/// A training as a person wants to read it afterwards. All texts are plain.
struct RunReport {
  std::string name;               ///< of the model
  std::string about;              ///< what was trained, in a line
  Facts data;                     ///< what it was trained on
  Facts settings;                 ///< with every default filled in
  Facts options;                  ///< that give the same run: members of options structures, and values
  std::string summary;            ///< the table of layers
  History history;                ///< of the training
  Facts figures;                  ///< what it came to
  std::vector<Picture> pictures;  ///< in the order of the page
  std::string graph;              ///< of the training, for dot; or empty
  std::string graph_note;         ///< a sentence to stand below it, or empty
  double seconds = 0;             ///< that the training took
  std::string command;            ///< that does it again
};

/// Makes the folder of a report, if need be. Error, before anything is trained, when it cannot be made or
/// written to, or when something lies where the report is to go.
void require_report_folder(const std::filesystem::path& folder);

/// Writes each picture as SVG and PNG, and report.html: one file with everything in it, which needs no script
/// and no network. What cannot be drawn because a program is missing is left out; `print` is told, and the
/// report says so.
void write_report(const std::filesystem::path& folder, const RunReport& report,
                  const std::function<void(std::string_view)>& print);

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
