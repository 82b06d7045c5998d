#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "gradus/framework/compile/executable.hpp"
#include "gradus/framework/graph/gradient.hpp"
#include "gradus/framework/inspect/dump.hpp"
#include "gradus/models/cli/commands.hpp"
#include "gradus/models/data/atomic_file.hpp"

namespace gradus::cli {

namespace {

constexpr std::int64_t most_checked_in_full = 200;

nlohmann::ordered_json to_json(const CheckedEntry& entry) {
  return {{"entry", entry.what},
          {"gradient", entry.analytic},
          {"difference", entry.numeric},
          {"uncertainty", entry.uncertainty},
          {"error", entry.error}};
}

nlohmann::ordered_json to_json(const GradientReport& report) {
  auto tensors = nlohmann::ordered_json::array();
  for (const auto& tensor : report.tensors) {
    nlohmann::ordered_json object{{"parameter", tensor.name},
                                  {"shape", tensor.extents},
                                  {"order", tensor.order},
                                  {"compared", tensor.compared},
                                  {"kinks", tensor.kinks},
                                  {"worst_error", tensor.worst_error},
                                  {"ok", tensor.ok},
                                  {"worst", to_json(tensor.worst)},
                                  {"failed", nlohmann::ordered_json::array()}};
    for (const auto& entry : tensor.failed) object["failed"].push_back(to_json(entry));
    tensors.push_back(object);
  }
  auto properties = nlohmann::ordered_json::array();
  for (const auto& property : report.properties)
    properties.push_back({{"property", property.name}, {"ok", property.ok}, {"detail", property.detail}});
  return {
      {"ok", report.ok()}, {"tensors", tensors}, {"properties", properties}, {"suspects", report.suspects}};
}

GradientCheckOptions::Mode mode_of(const CheckOptions& options, const std::vector<Expr>& parameters) {
  std::int64_t count = 0;
  for (const Expr& parameter : parameters) count += element_count(parameter.shape().resolve(1));
  const bool full = options.mode.empty() ? count <= most_checked_in_full : options.mode == "full";
  return full ? GradientCheckOptions::Mode::full : GradientCheckOptions::Mode::fast;
}

}  // namespace

int check(const CheckOptions& options) {
  const Problem p = find_tutorial(options.name).problem();
  const auto parameters = p.graph->parameters();
  // What has no loss is checked by its output.
  const Expr& checked = p.loss.is_null() ? p.prediction : p.loss;
  const auto mode = mode_of(options, parameters);
  const GradientReport report =
      check_gradient(checked, parameters, p.point, p.batch, {.mode = mode, .order = options.order});
  fmt::print("{}", report.text());
  for (int order = 1; order <= options.order; ++order)
    fmt::print(
        "order {}: {}, worst error {:.1e}\n", order,
        mode == GradientCheckOptions::Mode::full ? "every entry" : "random directions and sampled entries",
        report.worst_error(order));
  std::string properties;
  for (const auto& property : report.properties)
    properties +=
        fmt::format("{}{}: {}", properties.empty() ? "" : ", ", property.name, property.ok ? "ok" : "BROKEN");
  fmt::print("{}\n{}: {}\n", properties, options.name,
             report.ok() ? "all gradients agree with the differences" : "WRONG gradients");
  if (!options.json.empty()) write_atomically(options.json, to_json(report).dump(2) + "\n");
  return report.ok() ? 0 : 1;
}

std::string drawn_by_dot(const std::string& dot) {
  if (std::system("command -v dot > /dev/null 2>&1") != 0)
    throw Error(
        "graph: the program 'dot' is not installed; get it with 'apt install graphviz', or use --format dot");
  std::string source = std::string(P_tmpdir) + "/gradus-XXXXXX";
  const int descriptor = mkstemp(source.data());
  if (descriptor < 0) throw Error("graph: no temporary file can be made in " P_tmpdir);
  close(descriptor);
  write_atomically(source, dot);
  std::string drawn;
  std::FILE* pipe = popen(("dot -Tsvg " + source).c_str(), "r");
  char buffer[4096];
  for (std::size_t n = 0; pipe != nullptr && (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    drawn.append(buffer, n);
  const int status = pipe == nullptr ? -1 : pclose(pipe);
  std::remove(source.c_str());
  if (status != 0) throw Error("graph: dot could not draw the graph");
  return drawn;
}

int graph(const GraphOptions& options) {
  const Problem p = find_tutorial(options.name).problem();
  const bool training = options.what != "forward";
  if (training && p.loss.is_null())
    throw Error(fmt::format("graph: {} has nothing to train; use --what forward", options.name));
  const std::vector<Expr> outputs{training ? p.loss : p.prediction};
  const std::vector<Update> updates = training ? p.updates : std::vector<Update>();
  const bool text = options.format == "text";
  std::string drawn;
  if (options.what == "plan") {
    Store<float> store;
    const auto program = compile<float>(outputs, updates, p.batch, store);
    drawn = text ? plan_text(program.plan()) : plan_dot(program.plan());
  } else {
    drawn = text ? graph_text(outputs, updates) : graph_dot(outputs, updates);
  }
  fmt::print("{}", options.format == "svg" ? drawn_by_dot(drawn) : drawn);
  return 0;
}

}  // namespace gradus::cli
