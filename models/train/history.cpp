#include "gradus/train/history.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/base/error.hpp"
#include "models/data/json.hpp"

namespace gradus {

namespace {
std::size_t index_of(std::span<const std::string> names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string all;
  for (const std::string& each : names) all += (all.empty() ? "" : ", ") + each;
  throw Error(fmt::format("there is no score '{}'; there are: {}", name, all.empty() ? "none" : all));
}
}  // namespace

const double* Scores::find(std::string_view name) const {
  const auto found = std::ranges::find(names, name);
  return found == names.end() ? nullptr : &values[static_cast<std::size_t>(found - names.begin())];
}

double Scores::at(std::string_view name) const { return values[index_of(names, name)]; }

std::vector<double> History::of(std::string_view name) const {
  const std::size_t column = index_of(names, name);
  std::vector<double> course;
  for (const auto& row : epochs) course.push_back(row[column]);
  return course;
}

std::string History::json() const {
  OrderedJson all;
  all["params"] = {{"epochs", planned_epochs}, {"steps", steps},
                   {"batch", batch},           {"last_batch", steps > 0 ? samples - (steps - 1) * batch : 0},
                   {"samples", samples},       {"validation_samples", validation}};
  all["history"] = OrderedJson::object();
  for (const std::string& name : names) all["history"][name] = of(name);
  if (!stopped.empty()) all["stopped"] = stopped;
  if (!remarks.empty()) all["remarks"] = remarks;
  return json_text(all, 2) + "\n";
}

std::string History::csv() const {
  std::string text = csv_header(names);
  for (std::size_t i = 0; i < epochs.size(); ++i) text += csv_line(static_cast<std::int64_t>(i), epochs[i]);
  return text;
}

std::string csv_header(std::span<const std::string> names) {
  std::string line = "epoch";
  for (const std::string& name : names) line += "," + name;
  return line + "\n";
}

std::string csv_line(std::int64_t epoch, std::span<const double> values) {
  std::string line = fmt::format("{}", epoch);
  for (const double v : values) line += fmt::format(",{}", v);
  return line + "\n";
}

}  // namespace gradus
