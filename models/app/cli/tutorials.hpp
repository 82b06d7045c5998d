#pragma once

#include <string>

#include "models/tutorials/tutorial.hpp"

/// The commands `list`, `tutorials` and `train`. Each command returns the exit status; Error for what it
/// cannot do.
namespace gradus::cli {

int list();

struct TutorialsOptions {
  std::string json;  ///< file to write, or empty
  ReproduceOptions reproduce;
};
int tutorials(const TutorialsOptions& options);

/// `out`: the folder for pictures and report, or empty.
int train(const std::string& name, TrainOptions options, const std::string& out);

}  // namespace gradus::cli
