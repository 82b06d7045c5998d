#include "models/app/cli/mlp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "gradus/data/atomic_file.hpp"
#include "gradus/optim/optimizers.hpp"
#include "models/app/cli/command_line.hpp"
#include "models/app/cli/standard_output.hpp"
#include "models/app/cli/training_run.hpp"
#include "models/data/near_name.hpp"

namespace gradus::cli {

namespace {

struct OptimizerRow {
  std::string_view name;
  double default_rate;
  Optimizer (*make)(double rate, double momentum);
};
constexpr std::array<OptimizerRow, 6> optimizers{
    {{"adam", 1e-3, [](double rate, double) { return adam({.rate = rate}); }},
     {"nadam", 1e-3, [](double rate, double) { return nadam({.rate = rate}); }},
     {"sgd", 1e-2, [](double rate, double momentum) { return sgd({.rate = rate, .momentum = momentum}); }},
     {"rmsprop", 1e-3,
      [](double rate, double momentum) { return rmsprop({.rate = rate, .momentum = momentum}); }},
     {"adagrad", 1e-2, [](double rate, double) { return adagrad({.rate = rate}); }},
     {"rprop", 1e-2, [](double rate, double) { return rprop({.initial_step = rate}); }}}};

const OptimizerRow& find_optimizer(const std::string& name) {
  const auto* const found = std::ranges::find(optimizers, name, &OptimizerRow::name);
  if (found != optimizers.end()) return *found;
  std::vector<std::string> names;
  for (const OptimizerRow& row : optimizers) names.emplace_back(row.name);
  throw Error(no_such_name("optimizer", name, names));
}

double rate_of(const MlpOptions& options, const TrainOptions& shared) {
  return rate_or(shared, find_optimizer(options.optimizer).default_rate);
}

Optimizer optimizer_of(const MlpOptions& options, const TrainOptions& shared) {
  const OptimizerRow& row = find_optimizer(options.optimizer);
  if (options.momentum != 0 && options.optimizer != "sgd" && options.optimizer != "rmsprop")
    throw Error(fmt::format("--momentum is for sgd and rmsprop, not {}", options.optimizer));
  Optimizer optimizer = row.make(rate_of(options, shared), options.momentum);
  if (options.clip_value != 0) optimizer = optimizer.clip_value(options.clip_value);
  if (options.clip_norm != 0) optimizer = optimizer.clip_norm(options.clip_norm);
  if (options.weight_decay != 0) optimizer = optimizer.decay_weights(options.weight_decay);
  return optimizer;
}

Facts optimizer_settings(const MlpOptions& options, const TrainOptions& shared) {
  const auto or_none = [](double value) {
    return value == 0 ? std::string("none") : fmt::format("{}", value);
  };
  return {{"optimizer", options.optimizer},          {"rate", fmt::format("{}", rate_of(options, shared))},
          {"momentum", or_none(options.momentum)},   {"weight decay", or_none(options.weight_decay)},
          {"clip norm", or_none(options.clip_norm)}, {"clip value", or_none(options.clip_value)}};
}

}  // namespace

int train_mlp(MlpOptions options, TrainOptions shared, const std::string& out) {
  TableOptions& table = options.table;
  table.epochs = epochs_or(shared, table.epochs);
  table.batch = batch_or(shared, table.batch);
  table.optimizer = optimizer_of(options, shared);
  table.seed = shared.seed;
  table.threads = shared.threads;
  table.reproducible = shared.reproducible;
  table.in_double = shared.precision == Precision::double_;
  table.live = shared.live;
  table.spell = [](const OptionError& odd) { return with_options(odd.what(), odd.options()); };
  run_and_report(shared, table.data, out, [&] {
    table.print = shared.print;
    table.files = shared.files;
    const Facts settings = optimizer_settings(options, shared);
    table.files.options = {settings.begin(), settings.end()};
    table.files.options.erase("rate");  // may be another
    table.pictures = shared.pictures;
    RunReport report = fit_table(table);
    report.settings.insert(report.settings.end(), settings.begin(), settings.end());
    report.command = shared.command;
    return report;
  });
  return 0;
}
int predict(PredictOptions options) {
  require_distinct(std::vector<NamedFile>{{"model", options.table.model, false},
                                          {"data", options.table.data, false},
                                          {"output", options.output}});
  if (!options.output.empty()) require_writable(options.output);
  // The answers alone are on the standard output.
  options.table.print = print_note;
  const auto [text, fault] = predict_table(options.table);
  if (options.output.empty())
    print_data(text);
  else
    write_atomically(options.output, text);
  if (!fault.empty()) throw Error(fault);
  return 0;
}

}  // namespace gradus::cli
