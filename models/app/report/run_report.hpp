#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gradus/train/history.hpp"
#include "gradus/train/run.hpp"
#include "models/app/plot/picture.hpp"

namespace GRADUS_PUBLIC gradus {

/// Things and what is to be said of them: "learning rate", "0.3".
using Facts = std::vector<std::pair<std::string, std::string>>;

/// The files that a training reads and writes, for its settings.
Facts file_facts(const TrainingFiles& files);

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

}  // namespace gradus
