#pragma once

#include <string>

#include "gradus/models/tutorials/tutorial.hpp"

/// The subcommands of the program `gradus`. Each returns the exit status; Error for what it cannot do.
namespace gradus::cli {

int list();

struct TutorialsOptions {
  std::string json;  ///< file to write, or empty
  ReproduceOptions reproduce;
};
int tutorials(const TutorialsOptions& options);

int train(const std::string& name, TrainOptions options);

struct CheckOptions {
  std::string name;
  std::string mode;  ///< full, fast, or empty: full up to 200 parameters
  int order = 1;
  std::string json;  ///< file to write, or empty
};
int check(const CheckOptions& options);

struct GraphOptions {
  std::string name;
  std::string what = "training";  ///< forward, training or plan
  std::string format = "text";    ///< text, dot or svg
};
int graph(const GraphOptions& options);

}  // namespace gradus::cli
