#include "models/tutorials/tutorial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "gradus/data/option_error.hpp"
#include "gradus/inspect/draw.hpp"
#include "gradus/inspect/dump.hpp"

namespace gradus {

RunReport Tutorial::train(const TrainOptions&) const {
  throw Error(fmt::format("{} has nothing to train: its weights are given; see 'gradus tutorials'", name()));
}

std::vector<double> sine_pattern(std::int64_t rows, std::int64_t columns, double scale) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      values.push_back(scale *
                       std::sin(1.0 + 12.9898 * static_cast<double>(i) + 78.233 * static_cast<double>(j)));
  return values;
}

template <class T>
std::map<std::string, std::vector<double>, std::less<>> parameters_of(const Store<T>& store, Graph& graph) {
  std::map<std::string, std::vector<double>, std::less<>> values;
  for (const Expr& parameter : graph.parameters()) {
    const std::string& name = graph[parameter.id()].label;
    const auto from = store.values(name);
    values[name].assign(from.begin(), from.end());
  }
  return values;
}

template std::map<std::string, std::vector<double>, std::less<>> parameters_of
GRADUS_PUBLIC(const Store<float>&, Graph&);
template std::map<std::string, std::vector<double>, std::less<>> parameters_of
GRADUS_PUBLIC(const Store<double>&, Graph&);

Point starting_point(Graph& graph, std::uint64_t seed) {
  Store<double> store(seed);
  store.create(graph);
  Point point;
  for (const std::string& name : store.names()) {
    const auto values = store.values(name);
    point[name].assign(values.begin(), values.end());
  }
  return point;
}

namespace {
// Error when the option is given and not one of those that the tutorial has beside all others'.
void check_option(const Tutorial& tutorial, std::string_view option, bool given) {
  const auto own = tutorial.own_options();
  if (given && std::ranges::find(own, option) == own.end())
    throw OptionError({std::string(option)},
                      fmt::format("{} has no use for {}; leave it out", tutorial.name(), option));
}
}  // namespace

RunReport begin_report(const Tutorial& tutorial, const RunSettings& settings, const TrainOptions& options) {
  check_option(tutorial, "data", !options.data.empty());
  check_option(tutorial, "init_scale", options.init_scale.has_value());
  const std::string_view precision = settings.precision == Precision::single ? "float" : "double";
  RunReport report;
  report.name = tutorial.name();
  report.about = tutorial.summary();
  report.settings = {{"optimizer", std::string(settings.optimizer)},
                     {"rate", fmt::format("{}", settings.rate)},
                     {"batch", fmt::format("{} samples", settings.batch)},
                     {"epochs", fmt::format("{}", settings.epochs)},
                     {"seed", fmt::format("{}", options.seed)},
                     {"threads", fmt::format("{}", options.threads)},
                     {"reproducible", options.reproducible ? "yes" : "no"},
                     {"precision", std::string(precision)}};
  std::ranges::move(file_facts(options.files), std::back_inserter(report.settings));
  report.options = {{"epochs", fmt::format("{}", settings.epochs)},
                    {"batch", fmt::format("{}", settings.batch)},
                    {"rate", fmt::format("{}", settings.rate)},
                    {"seed", fmt::format("{}", options.seed)},
                    {"precision", std::string(precision)}};
  if (options.init_scale) {
    report.settings.emplace_back("init scale", fmt::format("{}", *options.init_scale));
    report.options.emplace_back("init_scale", fmt::format("{}", *options.init_scale));
  }
  return report;
}

std::string training_dot(const ModelGraph& model) {
  return graph_dot(std::vector{model.loss, model.prediction}, model.updates);
}

namespace {
std::int64_t positive(std::optional<std::int64_t> value, std::int64_t by_default, std::string_view what) {
  if (value.value_or(by_default) < 1)
    throw OptionError({std::string(what)}, fmt::format("{} is {}; it must be at least 1", what, *value));
  return value.value_or(by_default);
}
}  // namespace

std::int64_t epochs_or(const TrainOptions& options, std::int64_t by_default) {
  return positive(options.epochs, by_default, "epochs");
}

std::int64_t batch_or(const TrainOptions& options, std::int64_t by_default) {
  return positive(options.batch, by_default, "batch");
}

double rate_or(const TrainOptions& options, double by_default) {
  const double rate = options.rate.value_or(by_default);
  if (!(rate > 0) || !std::isfinite(rate))
    throw OptionError({"rate"}, fmt::format("rate is {}; it must be a finite number above 0", rate));
  return rate;
}

}  // namespace gradus
