#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/base/error.hpp"
#include "models/data/printable.hpp"

namespace gradus {

/// More levels of lists and objects than any of our files has; what goes through them may be recursive.
inline constexpr int most_json_levels = 32;

/// Refuses while a text is parsed what JSON parsers let pass: lists and objects that are nested deeper, and
/// keys that occur twice in one object.
class JsonGuard {
 public:
  bool operator()(int level, nlohmann::json::parse_event_t event, const nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    const bool opens = event == Event::object_start || event == Event::array_start;
    if (opens && level >= most_json_levels)
      throw Error(fmt::format("it is nested deeper than {} levels", most_json_levels));
    if (event == Event::object_start) open_.emplace_back();
    if (event == Event::object_end) open_.pop_back();
    if (event == Event::key && !open_.back().insert(value.get<std::string>()).second)
      throw Error(fmt::format("the name '{}' is given twice", shortened(value.get<std::string>())));
    return true;
  }

 private:
  std::vector<std::set<std::string>> open_;
};

/// The JSON value that an untrusted text is; Error, which gives only the reason, or nlohmann's own, when it
/// is none that JsonGuard lets pass.
inline nlohmann::json parsed_json(std::string_view text) {
  return nlohmann::json::parse(text.begin(), text.end(), JsonGuard());
}

}  // namespace gradus
