#include "gradus/models/tutorials/small_network.hpp"

#include <fmt/format.h>

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

Problem SmallTutorial::problem() const {
  const Data samples = data();
  Problem p = problem_of(written_out(settings().rate), samples.count);
  p.point["x"] = samples.inputs;
  p.point["target"] = samples.targets;
  return p;
}

void SmallTutorial::train(const TrainOptions& options) const {
  const Settings defaults = settings();
  const auto epochs = epochs_or(options, defaults.epochs);
  const auto batch = batch_or(options, defaults.batch);
  const ModelDefinition model = random(options, rate_or(options, defaults.rate));
  with_precision(options.precision.value_or(Precision::double_), [&](auto tag) {
    SmallTraining<decltype(tag)> training(model, data(), options.seed);
    const auto print = [&](Training& t) {
      if (t.epoch() % defaults.print_every == 0)
        options.print(fmt::format(fmt::runtime(defaults.line), t.epoch(), training.loss()));
    };
    training.fit(epochs, batch, {on_epoch_end(print)}, options.files);
    conclude([&](const auto& inputs, std::int64_t count) { return training.predict(inputs, count); },
             training.loss(), options);
  });
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
