#include "models/app/report/run_report.hpp"

#include <fmt/format.h>

namespace gradus {

Facts file_facts(const TrainingFiles& files) {
  const auto or_none = [](const std::string& name) { return name.empty() ? std::string("none") : name; };
  return {{"history", or_none(files.history)},
          {"tensorboard", or_none(files.tensorboard)},
          {"checkpoint", or_none(files.checkpoint)},
          {"checkpoint steps", fmt::format("{}", files.checkpoint_steps)},
          {"resume", files.resume ? "yes" : "no"}};
}

}  // namespace gradus
