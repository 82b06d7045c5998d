#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "models/app/cli/mlp.hpp"
#include "models/tutorials/tutorial.hpp"

/// The options of the commands `train` and `train mlp`.
namespace gradus::cli {

/// Adds both commands, which write into the other arguments, and the exit status into `status`. `typed` is
/// the command as it was given.
void add_train(CLI::App& app, std::string& name, gradus::TrainOptions& options, MlpOptions& mlp,
               std::string& out, const std::string& typed, int& status);

}  // namespace gradus::cli
