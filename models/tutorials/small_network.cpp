#include "models/tutorials/small_network.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "gradus/ops/losses.hpp"

namespace gradus {

Problem problem_of(const ModelDefinition& model, std::int64_t batch) {
  const auto trainer = std::make_shared<Trainer<double>>(model);
  ModelGraph& built = trainer->graph(Mode::training);
  Problem p{
      std::shared_ptr<Graph>(trainer, &built.graph), built.prediction, built.loss, built.updates, batch, {}};
  p.point = starting_point(built.graph, 0);
  return p;
}

namespace {
// Before the first epoch, and after a 64th, a 16th, a quarter and all of them.
bool is_milestone(std::int64_t done, std::int64_t epochs) {
  return std::ranges::any_of(std::array{0, 1, 4, 16, 64},
                             [&](std::int64_t part) { return done == (epochs * part + 63) / 64; });
}
}  // namespace

Problem SmallTutorial::problem() const {
  const Data samples = data();
  Problem p = problem_of(written_out(settings().rate), samples.count);
  p.point["x"] = samples.inputs;
  p.point["target"] = samples.targets;
  return p;
}

RunReport SmallTutorial::train(const TrainOptions& options) const {
  const Settings defaults = settings();
  const auto epochs = epochs_or(options, defaults.epochs);
  const auto batch = batch_or(options, defaults.batch);
  const double rate = rate_or(options, defaults.rate);
  const Precision precision = options.precision.value_or(Precision::double_);
  const ModelDefinition model = random(options, rate);
  RunReport report = begin_report(*this, {epochs, batch, rate, precision, "plain gradient descent"}, options);
  report.data = data_facts();
  with_precision(precision, [&](auto tag) {
    SmallTraining<decltype(tag)> training(model, data(), options.seed);
    const Data samples = data();
    Trained trained{[&](const auto& inputs, std::int64_t count) { return training.predict(inputs, count); },
                    {},
                    rate,
                    epochs};
    const auto note = [&](std::int64_t done) {
      if (options.pictures && is_milestone(done, epochs))
        trained.fits.push_back({done, training.predict(samples.inputs, samples.count)});
    };
    const auto begin = [&](Training& t) {
      if (t.epoch() == 0) note(0);
    };
    const auto print = [&](Training& t) {
      note(t.epoch() + 1);
      if (t.epoch() % defaults.print_every == 0)
        options.print(fmt::format(fmt::runtime(defaults.line), t.epoch(), training.loss()));
    };
    const auto start = std::chrono::steady_clock::now();
    report.history = training.fit(epochs, batch, {on_epoch_begin(begin), on_epoch_end(print)}, options.files,
                                  {.threads = options.threads, .reproducible = options.reproducible});
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (const std::string& remark : report.history.remarks) options.print(fmt::format("Note: {}\n", remark));
    report.figures = conclude(trained.predict, training.loss());
    for (const auto& [what, value] : report.figures) options.print(fmt::format("{}: {}\n", what, value));
    report.summary = training.trainer().summary();
    if (!options.pictures) return;
    report.pictures = pictures(trained);
    report.pictures.push_back(loss_curves(report.history, loss_texts(), loss_unit()));
    report.graph = training_dot(training.trainer().graph(Mode::training));
  });
  return report;
}

Map SmallTutorial::filled(Map map, const Predict& predict,
                          const std::function<std::vector<double>(double x, double y)>& to_inputs,
                          double scale) {
  const std::vector<double> points = grid_of(map);
  std::vector<double> inputs;
  for (std::size_t i = 0; i < points.size(); i += 2)
    std::ranges::copy(to_inputs(points[i], points[i + 1]), std::back_inserter(inputs));
  map.values = predict(inputs, map.columns * map.rows);
  for (double& value : map.values) value *= scale;
  return map;
}

namespace {
const std::vector<double> sample{2, 3};

ModelDefinition forward_model(std::function<Expr(const Expr& x)> forward) {
  return small_model(2, 1, std::move(forward), mse, mse, 0);
}
}  // namespace

std::vector<Figure> ForwardTutorial::figures() const { return {{"output", output(), output(), 1e-15}}; }

Problem ForwardTutorial::problem() const {
  Problem p = problem_of(forward_model([this](const Expr& x) { return forward(x); }), 1);
  p.loss = {};
  p.updates.clear();
  p.point["x"] = sample;
  return p;
}

Result ForwardTutorial::reproduce(const ReproduceOptions& options) const {
  return with_precision(options.precision, [&](auto tag) {
    const auto model = forward_model([this](const Expr& x) { return forward(x); });
    SmallTraining<decltype(tag)> network(model, {sample, {0}, 1});
    return Result{{{"output", network.predict(sample).front()}}, {}, network.parameters()};
  });
}

}  // namespace gradus
