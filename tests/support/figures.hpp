#pragma once

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// Figures of other programs, kept in tests/figures.
namespace gradus::test {

using Json = nlohmann::json;

/// The contents of tests/figures/NAME.json.
inline const Json& figures(const std::string& name) {
  static std::map<std::string, Json> read;
  const auto found = read.find(name);
  if (found != read.end()) return found->second;
  return read[name] = Json::parse(std::ifstream(GRADUS_SOURCE_DIR "/tests/figures/" + name + ".json"));
}

/// The numbers in lists within lists, row-major.
inline std::vector<double> flat(const Json& json) {
  if (!json.is_array()) return {json.get<double>()};
  std::vector<double> values;
  for (const Json& item : json) {
    const auto part = flat(item);
    values.insert(values.end(), part.begin(), part.end());
  }
  return values;
}

}  // namespace gradus::test
