#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "models/app/cli/commands.hpp"
#include "models/app/cli/mlp.hpp"
#include "models/tutorials/tutorial.hpp"

/// The options of the commands `train` and `train mlp`.
namespace gradus::cli {

/// Adds both commands, which write into the other arguments, and what is to run into `chosen`. `typed` is
/// the command as it was given.
void add_train(CLI::App& app, std::string& name, gradus::TrainOptions& options, MlpOptions& mlp,
               std::string& out, const std::string& typed, Chosen& chosen);

}  // namespace gradus::cli
