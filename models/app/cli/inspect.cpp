#include "models/app/cli/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "framework/compile/plan.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/data/atomic_file.hpp"
#include "gradus/inspect/draw.hpp"
#include "gradus/inspect/dump.hpp"
#include "gradus/inspect/stages.hpp"
#include "gradus/runtime/executable.hpp"
#include "models/app/cli/standard_output.hpp"
#include "models/app/plot/draw.hpp"
#include "models/app/progress/progress.hpp"
#include "models/data/json.hpp"
#include "models/tutorials/all.hpp"

namespace gradus::cli {

namespace {

OrderedJson to_json(const CheckedEntry& entry) {
  return {{"entry", entry.what},
          {"gradient", entry.analytic},
          {"difference", entry.numeric},
          {"uncertainty", entry.uncertainty},
          {"error", entry.error}};
}

OrderedJson to_json(const GradientReport& report) {
  auto tensors = OrderedJson::array();
  for (const auto& tensor : report.tensors) {
    OrderedJson object{{"parameter", tensor.name},
                       {"shape", tensor.extents},
                       {"order", tensor.order},
                       {"compared", tensor.compared},
                       {"kinks", tensor.kinks},
                       {"unsettled", tensor.unsettled},
                       {"sampled", tensor.sampled},
                       {"worst_error", tensor.worst_error},
                       {"ok", tensor.ok},
                       {"worst", to_json(tensor.worst)},
                       {"failed", OrderedJson::array()}};
    for (const auto& entry : tensor.failed) object["failed"].push_back(to_json(entry));
    tensors.push_back(object);
  }
  auto properties = OrderedJson::array();
  for (const auto& property : report.properties)
    properties.push_back({{"property", property.name}, {"ok", property.ok}, {"detail", property.detail}});
  return {
      {"ok", report.ok()}, {"tensors", tensors}, {"properties", properties}, {"suspects", report.suspects}};
}

GradientCheckOptions::Mode mode_of(const CheckOptions& options) {
  using Mode = GradientCheckOptions::Mode;
  return options.mode.empty() ? Mode::automatic : options.mode == "full" ? Mode::full : Mode::fast;
}

std::string verdict_of(const GradientReport& report) {
  if (report.ok()) return "all gradients agree with the differences";
  const bool wrong = std::ranges::any_of(report.tensors, [](const auto& t) { return t.failures > 0; }) ||
                     std::ranges::any_of(report.properties, [](const auto& p) { return !p.ok; });
  return wrong ? "WRONG gradients" : "UNSETTLED: some gradients could not be checked";
}

}  // namespace

int check(const CheckOptions& options) {
  if (!options.json.empty()) require_writable(options.json);
  const Problem p = find_tutorial(options.name).problem();
  const auto parameters = p.graph->parameters();
  // A tutorial without a loss is not trained; the gradient of its output is checked instead.
  const Expr& checked = p.loss.is_null() ? p.prediction : p.loss;
  const GradientReport report = [&] {
    Progress line("checking the gradients of " + options.name);
    const OnCheckProgress progress = [&line](const CheckProgress& at) {
      line.at(static_cast<std::int64_t>(at.done), static_cast<std::int64_t>(at.of));
    };
    return check_gradient(checked, parameters, p.point, p.batch,
                          {.mode = mode_of(options), .order = options.order, .progress = &progress});
  }();
  print_text(report.text());
  for (int order = 1; order <= options.order; ++order) {
    const bool sampled = std::ranges::any_of(
        report.tensors, [&](const CheckedTensor& t) { return t.order == order && t.sampled; });
    print("order {}: {}, worst error {:.1e}\n", order,
          sampled ? "random directions and sampled entries" : "every entry", report.worst_error(order));
  }
  std::string properties;
  for (const auto& property : report.properties)
    properties +=
        fmt::format("{}{}: {}", properties.empty() ? "" : ", ", property.name, property.ok ? "ok" : "BROKEN");
  print("{}\n{}: {}\n", properties, options.name, verdict_of(report));
  if (!options.json.empty()) write_atomically(options.json, json_text(to_json(report), 2) + "\n");
  return report.ok() ? 0 : 1;
}

int graph(const GraphOptions& options) {
  const Problem p = find_tutorial(options.name).problem();
  const bool training = options.what != "forward";
  if (training && p.loss.is_null())
    throw Error(fmt::format("graph: {} has nothing to train; use --what forward", options.name));
  const bool text = options.format == "text";
  if (text && options.boxes)
    throw Error("graph: a text has no boxes; leave --boxes out, or draw a picture with --format dot or svg");
  std::vector<Expr> outputs{training ? p.loss : p.prediction};
  // Pictures tell the loss from the model before it.
  if (training && options.what != "plan" && !text) outputs.push_back(p.prediction);
  const std::vector<Update> updates = training ? p.updates : std::vector<Update>();
  std::string drawn;
  if (options.what == "stages") {
    if (!text) throw Error("graph: the stages are a text; use --format text");
    drawn = stages_text(std::vector{p.loss}, updates, p.batch);
  } else if (options.what == "plan") {
    Store<float> store;
    const auto program = compile<float>(outputs, updates, p.batch, store);
    drawn =
        text ? plan_text(program.plan())
             : plan_dot(program.plan(), {}, {.most_boxes = options.boxes.value_or(DrawOptions().most_boxes)});
  } else {
    drawn =
        text ? graph_text(outputs, updates)
             : graph_dot(outputs, updates, {.most_boxes = options.boxes.value_or(DrawOptions().most_boxes)});
  }
  if (options.format == "svg")
    drawn = with_progress("drawing the graph", [&] { return drawn_by_dot(drawn, ImageFormat::svg); });
  print_data(drawn);
  return 0;
}

}  // namespace gradus::cli
