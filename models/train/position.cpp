#include "models/train/position.hpp"

#include <fmt/format.h>

#include "gradus/base/error.hpp"
#include "models/data/bounded_json.hpp"
#include "models/data/whole_number.hpp"

namespace gradus {

std::string to_json(const SavedPosition& saved) {
  const Position& at = saved.at;
  return json_text(Json{{"epoch", at.epoch},
                        {"step", at.step},
                        {"skipped", at.skipped},
                        {"drawn", at.drawn},
                        {"seed", saved.seed},
                        {"samples", at.samples},
                        {"batch", at.batch},
                        {"shuffle", at.shuffle},
                        {"names", saved.names},
                        {"callbacks", saved.callbacks}});
}

SavedPosition position_from(const std::string& text) {
  try {
    const Json json = parsed_json(text);
    SavedPosition saved;
    Position& at = saved.at;
    at.epoch = whole_number<std::int64_t>(json.at("epoch"), 0);
    at.step = whole_number<std::int64_t>(json.at("step"), 0);
    if (json.contains("skipped")) at.skipped = whole_number<std::int64_t>(json["skipped"], 0);
    at.drawn = whole_number<std::uint64_t>(json.at("drawn"), 0);
    at.samples = whole_number<std::int64_t>(json.at("samples"), 1);
    at.batch = whole_number<std::int64_t>(json.at("batch"), 1);
    at.shuffle = json.at("shuffle");
    saved.seed = whole_number<std::uint64_t>(json.at("seed"), 0);
    saved.names = json.at("names").get<std::vector<std::string>>();
    saved.callbacks = json.at("callbacks").get<std::vector<std::string>>();
    if (const std::int64_t steps = (at.samples - 1) / at.batch + 1; at.step > steps)
      throw Error(fmt::format("an epoch has {} steps, so there is none {}", steps, at.step));
    return saved;
  } catch (const Json::exception& error) {
    throw Error(error.what());
  }
}

}  // namespace gradus
