#include "models/train/compiled_model.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/base/error.hpp"
#include "models/train/data_split.hpp"

namespace gradus {

namespace {

void require_scalars(const ModelGraph& graph, const std::vector<Metric>& metrics) {
  for (std::size_t i = 0; i < graph.scores.size(); ++i)
    if (graph.scores[i].shape().rank() != 0)
      throw Error(fmt::format("Trainer: the {} must be a scalar, not {}",
                              i == 0 ? "loss" : "metric '" + metrics[i - 1].name + "'",
                              to_string(graph.scores[i].shape())));
}

std::unique_ptr<ModelGraph> build(const ModelDefinition& model, Mode::Purpose purpose, Location where) {
  if (model.inputs.empty() || !model.network || !model.loss)
    throw Error("Trainer: the model must have inputs, a network and a loss");
  auto made = std::make_unique<ModelGraph>();
  Mode mode(purpose);
  for (const Feed& feed : model.inputs) made->inputs.push_back(made->graph.input(feed.name, feed.shape));
  made->prediction = model.network(made->inputs, mode);
  made->target = made->graph.input(model.target.name, model.target.shape);
  const Arg prediction(made->prediction, where), target(made->target, where);
  made->loss = model.loss(prediction, target);
  made->scores = {made->loss};
  for (const Metric& metric : model.metrics) made->scores.push_back(metric.of(prediction, target));
  require_scalars(*made, model.metrics);
  if (purpose == Mode::training) {
    made->updates = model.optimizer(made->loss);
    made->updates.insert(made->updates.end(), mode.updates().begin(), mode.updates().end());
  }
  return made;
}

// Ratios to what the rates start with: those of the store may have been rounded, or been 0 in a warm-up.
std::vector<RelativeRate> relative_rates(const Optimizer& optimizer) {
  const auto rates = optimizer.rates();
  const auto leader = std::ranges::find_if(rates, [](const LearningRate& each) { return each.initial > 0; });
  std::vector<RelativeRate> relative;
  relative.reserve(rates.size());
  for (const LearningRate& each : rates)
    relative.push_back({each.state, leader == rates.end() ? 1 : each.initial / leader->initial});
  return relative;
}

std::vector<Expr> all_feeds(const ModelGraph& graph) {
  std::vector<Expr> feeds = graph.inputs;
  feeds.push_back(graph.target);
  return feeds;
}

}  // namespace

template <class T>
CompiledModel<T>::CompiledModel(const ModelDefinition& model, std::uint64_t seed, Location where)
    : training_(build(model, Mode::training, where)),
      inference_(build(model, Mode::inference, where)),
      store_(seed),
      weights_(inference_->graph, store_),
      rates_(relative_rates(model.optimizer)),
      score_names_{"loss"},
      step_programs_(training_->scores, training_->updates, all_feeds(*training_), store_),
      score_programs_(inference_->scores, {}, all_feeds(*inference_), store_),
      predict_programs_({inference_->prediction}, {}, inference_->inputs, store_) {
  store_.create(training_->graph);
  store_.create(inference_->graph);
  for (const Metric& metric : model.metrics) score_names_.push_back(metric.name);
}

template <class T>
std::vector<double> CompiledModel<T>::mean_scores(const Dataset<T>& data, std::span<const std::uint32_t> rows,
                                                  std::int64_t batch) {
  std::vector<double> means(score_names_.size(), 0);
  for (std::size_t done = 0; done < rows.size();) {
    const auto count = std::min(rows.size() - done, static_cast<std::size_t>(batch));
    auto& program = score_programs_.at(static_cast<std::int64_t>(count));
    program.run(data, rows.subspan(done, count));
    done += count;
    for (std::size_t i = 0; i < means.size(); ++i)
      means[i] += static_cast<double>(program.results[i].front()) * static_cast<double>(count);
  }
  for (double& mean : means) mean /= static_cast<double>(rows.size());
  return means;
}

template <class T> std::vector<T> CompiledModel<T>::predict(const Dataset<T>& data, std::int64_t batch) {
  const Rows rows = rows_in_order(0, data.count());
  std::vector<T> predictions;
  for (std::size_t done = 0; done < rows.size();) {
    const auto count = std::min(rows.size() - done, static_cast<std::size_t>(batch));
    auto& program = predict_programs_.at(static_cast<std::int64_t>(count));
    program.run(data, std::span(rows).subspan(done, count));
    predictions.insert(predictions.end(), program.results.front().begin(), program.results.front().end());
    done += count;
  }
  return predictions;
}

template class CompiledModel<float>;
template class CompiledModel<double>;

}  // namespace gradus
