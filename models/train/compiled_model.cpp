#include "models/train/compiled_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/base/error.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/one_hot.hpp"
#include "gradus/ops/reduction.hpp"
#include "gradus/ops/slice.hpp"
#include "models/train/data_split.hpp"

namespace gradus {

namespace {

void require_scalars(const ModelGraph& graph, const std::vector<Metric>& metrics, Location where) {
  for (std::size_t i = 0; i < graph.scores.size(); ++i) {
    const Arg score(graph.scores[i], where);
    const std::string what = i == 0 ? "loss" : "metric '" + metrics[i - 1].name + "'";
    graph_of("Trainer", {&score, 1});
    if (score.expr.shape().rank() != 0)
      fail("Trainer", {&score, 1},
           fmt::format("the {} must be a scalar{}; take its mean", what,
                       i == 0 ? ", or a number for each sample, [B]" : ""));
  }
}

// How far each sample belongs to each class that class_weights has a factor for, [B, classes]: the target as
// it is, one-hot; the class of an index [B]; of [B, 1], which is 1 for the second of two classes, both
// shares.
Expr shares_of(const ModelDefinition& model, const ModelGraph& made, Location where) {
  const Arg operands[] = {{made.prediction, where}, {made.target, where}};
  const auto& factors = model.class_weights;
  for (std::size_t k = 0; k < factors.size(); ++k)
    if (!(factors[k] >= 0 && std::isfinite(factors[k])))
      fail("Trainer", operands,
           fmt::format("the factor {} of class_weights is {}; it must be finite and not negative", k,
                       factors[k]));
  const auto count = static_cast<std::int64_t>(factors.size());
  if (count == 1) fail("Trainer", operands, "class_weights has one factor; give one for each class");
  const Expr& target = made.target;
  const auto fits = [&](const Shape& shape) {
    return shape.rank() < 2 || shape == Shape{B, count} || (shape == Shape{B, 1} && count == 2);
  };
  if (target.shape() != Shape{B} && (target.shape().rank() != 2 || !fits(target.shape())))
    fail(
        "Trainer", operands,
        fmt::format("class_weights has {} factors, but the target is neither a class index [B], nor a number "
                    "for each class [B, {}]{}",
                    count, count, count == 2 ? ", nor [B, 1], 0 or 1" : ""));
  const Shape& answered = made.prediction.shape();
  if (answered.rank() == 2 && answered[0] == B && !fits(answered))
    fail("Trainer", operands,
         fmt::format("class_weights has {} factors, but the prediction is not of so many classes", count));
  if (target.shape() == Shape{B}) return one_hot(target, count);
  if (target.shape() == Shape{B, count}) return target;
  return concat({1 - target, target}, 1);
}

// The loss that the model gives, or the mean of the samples' weighted ones.
Expr loss_of(const ModelDefinition& model, const ModelGraph& made, Location where) {
  Expr loss = model.loss({made.prediction, where}, {made.target, where});
  const Arg given(loss, where);
  graph_of("Trainer", {&given, 1});
  const bool is_weighted = !made.weights.is_null() || !model.class_weights.empty();
  if (loss.shape() != Shape{B}) {
    if (is_weighted)
      fail("Trainer", {&given, 1},
           "no sample can be weighted, as the loss is not a number for each sample, [B]");
    return loss;
  }
  const Graph::Scope scope(loss.graph(), where);
  if (!made.weights.is_null()) loss = weighted(made.weights, loss);
  if (!model.class_weights.empty()) {
    const auto count = static_cast<std::int64_t>(model.class_weights.size());
    const Expr factors = loss.graph().constant({count}, model.class_weights, where);
    loss = weighted(sum(shares_of(model, made, where) * factors, {-1}), loss);
  }
  return mean(loss);
}

std::unique_ptr<ModelGraph> build(const ModelDefinition& model, Mode::Purpose purpose, Location where) {
  if (model.inputs.empty() || !model.network || !model.loss)
    throw Error(
        fmt::format("Trainer at {}: the model must have inputs, a network and a loss", to_string(where)));
  if (const std::size_t taken = model.network.inputs(); taken != 0 && taken != model.inputs.size())
    throw Error(fmt::format("Trainer at {}: the network takes {} inputs, but the model has {}",
                            to_string(where), taken, model.inputs.size()));
  auto made = std::make_unique<ModelGraph>();
  Mode mode(purpose);
  for (const Feed& feed : model.inputs)
    made->inputs.push_back(made->graph.input(feed.name, feed.shape, where));
  made->prediction = model.network(made->inputs, mode);
  const Arg prediction(made->prediction, where);
  graph_of("Trainer", {&prediction, 1});
  made->target = made->graph.input(model.target.name, model.target.shape, where);
  if (!model.sample_weights.empty()) made->weights = made->graph.input(model.sample_weights, {B}, where);
  made->loss = loss_of(model, *made, where);
  made->scores = {made->loss};
  for (const Metric& metric : model.metrics)
    made->scores.push_back(metric.of({made->prediction, where}, {made->target, where}));
  require_scalars(*made, model.metrics, where);
  if (purpose == Mode::training) {
    made->updates = model.optimizer(made->loss, where);
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

// Whether a row of the data has the axes that one sample wants, but for those of extent 1. What is flat on
// one side is taken in the other's order.
bool is_row_of(Extents row, Extents sample) {
  std::erase(row, 1);
  std::erase(sample, 1);
  return row.size() < 2 || sample.size() < 2 || row == sample;
}

}  // namespace

std::vector<double> balanced_weights(std::span<const std::int64_t> counts, Location where) {
  const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
  std::vector<double> weights;
  for (const std::int64_t count : counts) {
    if (count < 1)
      throw Error(
          fmt::format("balanced_weights at {}: class {} has {} samples; there must be at least 1 of each",
                      to_string(where), weights.size(), count));
    weights.push_back(all / (static_cast<double>(counts.size()) * static_cast<double>(count)));
  }
  return weights;
}

template <class T>
CompiledModel<T>::CompiledModel(const ModelDefinition& model, std::uint64_t seed, Location where)
    : training_(build(model, Mode::training, where)),
      inference_(build(model, Mode::inference, where)),
      store_(seed),
      weights_(inference_->graph, store_),
      rates_(relative_rates(model.optimizer)),
      counted_(*training_, model.class_weights),
      score_names_{"loss"},
      step_programs_(training_->scores, training_->updates, training_->feeds(), store_, counted_),
      score_programs_(inference_->scores, {}, inference_->feeds(), store_,
                      {*inference_, model.class_weights}),
      predict_programs_({inference_->prediction}, {}, inference_->inputs, store_) {
  store_.create(training_->graph);
  store_.create(inference_->graph);
  for (const Metric& metric : model.metrics) score_names_.push_back(metric.name);
}

template <class T> void CompiledModel<T>::renew() {
  store_.create(training_->graph);
  store_.create(inference_->graph);
  step_programs_.renew();
  score_programs_.renew();
  predict_programs_.renew();
  if (gradient_programs_ != nullptr) gradient_programs_->renew();
}

template <class T>
void CompiledModel<T>::require_data(std::string_view what, const Dataset<T>& data, bool with_targets) const {
  const std::vector<Extents>& given = data.row_extents();
  if (given.empty()) return;
  const std::vector<Expr> feeds = inference_->feeds();
  const auto described = [&](const Expr& feed) { return inference_->graph.describe(feed.id()); };
  if (given.size() > feeds.size() ||
      given.size() < (with_targets ? feeds.size() : inference_->inputs.size())) {
    std::string fed;
    for (const Expr& feed : feeds) fed += (fed.empty() ? "" : ", ") + described(feed);
    throw Error(
        fmt::format("{}: the number of tensors in the data is {}, but the model is fed {}: {}; give "
                    "these, in this order",
                    what, given.size(), feeds.size(), fed));
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Extents one = feeds[i].shape().resolve(1);
    const std::int64_t wanted = element_count(one), there = element_count(given[i]);
    if (element_count(feeds[i].shape().resolve(2)) != 2 * wanted) continue;  // it has no rows
    if (there != wanted)
      throw Error(fmt::format("{}: the rows of tensor {} have {} numbers, but the model wants {}: {}", what,
                              i, there, wanted, described(feeds[i])));
    if (!is_row_of(given[i], one))
      throw Error(
          fmt::format("{}: the rows of tensor {} have the shape {}, but the model wants {}; reshape "
                      "or transpose them, or give them flat",
                      what, i, to_string(given[i]), described(feeds[i])));
  }
}

template <class T>
std::vector<double> CompiledModel<T>::mean_scores(const Dataset<T>& data, std::span<const std::uint32_t> rows,
                                                  std::int64_t batch) {
  const Rows counted = of_weight(data, rows, batch);
  std::vector<double> means(score_names_.size(), 0);
  for (std::size_t done = 0; done < counted.size();) {
    const auto count = std::min(counted.size() - done, static_cast<std::size_t>(batch));
    auto& program = score_programs_.at(static_cast<std::int64_t>(count));
    program.run(data, std::span(counted).subspan(done, count));
    done += count;
    for (std::size_t i = 0; i < means.size(); ++i)
      means[i] += static_cast<double>(program.results[i].front()) * static_cast<double>(count);
  }
  // The loss is a mean over all samples, as in training, those of weight 0 among them.
  for (std::size_t i = 0; i < means.size(); ++i)
    means[i] /= static_cast<double>(i == 0 ? rows.size() : counted.size());
  return means;
}

// The rows whose weight is not 0.
template <class T>
Rows CompiledModel<T>::of_weight(const Dataset<T>& data, std::span<const std::uint32_t> rows,
                                 std::int64_t batch) {
  if (inference_->weights.is_null()) return {rows.begin(), rows.end()};
  Rows counted;
  for (std::size_t done = 0; done < rows.size();) {
    const auto count = std::min(rows.size() - done, static_cast<std::size_t>(batch));
    auto& program = score_programs_.at(static_cast<std::int64_t>(count));
    data.fill(rows.subspan(done, count), program.buffers);
    for (std::size_t i = 0; i < count; ++i)
      if (program.buffers.back()[i] != 0) counted.push_back(rows[done + i]);
    done += count;
  }
  return counted;
}

template <class T>
NamedValues CompiledModel<T>::gradients(const Dataset<T>& data, std::span<const std::uint32_t> rows) {
  const std::vector<Expr> parameters = training_->graph.parameters();
  // A program that draws random numbers must count them: their count is put back afterwards.
  std::vector<Update> updates;
  for (const Update& each : training_->updates)
    if (std::ranges::count(training_->graph.required_updates(), each.variable.id()) > 0)
      updates.push_back(each);
  if (gradient_programs_ == nullptr) {
    gradient_programs_ = std::make_unique<Programs<T>>(grad(training_->loss, parameters), updates,
                                                       training_->feeds(), store_, counted_);
    gradient_programs_->set_options(options_);
  }
  const auto values_of = [&](const Expr& variable) {
    return store_.values(variable.graph()[variable.id()].label);
  };
  std::vector<std::vector<T>> before;
  for (const Update& each : updates) {
    const auto values = values_of(each.variable);
    before.emplace_back(values.begin(), values.end());
  }
  auto& program = gradient_programs_->at(static_cast<std::int64_t>(rows.size()));
  program.run(data, rows);
  for (std::size_t i = 0; i < updates.size(); ++i)
    std::ranges::copy(before[i], values_of(updates[i].variable).begin());
  NamedValues gradients;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    gradients[training_->graph[parameters[i].id()].label] = {program.results[i].begin(),
                                                             program.results[i].end()};
  return gradients;
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
