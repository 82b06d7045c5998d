#include "gradus/train/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "gradus/base/error.hpp"
#include "gradus/train/progress.hpp"
#include "gradus/train/summary.hpp"
#include "models/train/trainer_impl.hpp"

namespace gradus {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::unique_ptr<ModelGraph> build(const ModelDefinition& model, Mode::Purpose purpose) {
  if (model.inputs.empty() || !model.network || !model.loss)
    throw Error("Trainer: the model must have inputs, a network and a loss");
  auto made = std::make_unique<ModelGraph>();
  Mode mode(purpose);
  for (const Feed& feed : model.inputs) made->inputs.push_back(made->graph.input(feed.name, feed.shape));
  made->prediction = model.network(made->inputs, mode);
  made->target = made->graph.input(model.target.name, model.target.shape);
  made->loss = model.loss(made->prediction, made->target);
  made->scores = {made->loss};
  for (const Metric& metric : model.metrics)
    made->scores.push_back(metric.of(made->prediction, made->target));
  for (std::size_t i = 0; i < made->scores.size(); ++i)
    if (made->scores[i].shape().rank() != 0)
      throw Error(fmt::format("Trainer: the {} must be a scalar, not {}",
                              i == 0 ? "loss" : "metric '" + model.metrics[i - 1].name + "'",
                              to_string(made->scores[i].shape())));
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

Rows in_order(std::int64_t begin, std::int64_t end) {
  Rows rows(static_cast<std::size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(begin));
  return rows;
}

void at_least_one(std::int64_t value, std::string_view what) {
  if (value < 1) throw Error(fmt::format("fit: {} is {}; it must be at least 1", what, value));
}

}  // namespace

template <class T>
Trainer<T>::Impl::Impl(const ModelDefinition& model, std::uint64_t its_seed)
    : training(build(model, Mode::training)),
      inference(build(model, Mode::inference)),
      store(its_seed),
      rates(relative_rates(model.optimizer)),
      seed(its_seed),
      step_programs(training->scores, training->updates, all_feeds(*training), store),
      score_programs(inference->scores, {}, all_feeds(*inference), store),
      predict_programs({inference->prediction}, {}, inference->inputs, store),
      score_names{"loss"},
      shuffler(its_seed, stream_of("shuffle")) {
  store.create(training->graph);
  store.create(inference->graph);
  for (const Metric& metric : model.metrics) score_names.push_back(metric.name);
}

template <class T>
const Scores& Trainer<T>::Impl::scores() {
  // At the end of an epoch they are there; on the way they are made when someone asks.
  if (trained_seconds >= 0) return now;
  const auto done = std::min(at.step * at.batch, at.samples);
  for (std::size_t i = 0; i < at.sums.size(); ++i)
    now.values[i] = at.sums[i] / static_cast<double>(std::max<std::int64_t>(done, 1));
  return now;
}

template <class T>
double Trainer<T>::Impl::training_seconds() const {
  return trained_seconds >= 0 ? trained_seconds : seconds_since(epoch_start);
}

template <class T>
double Trainer<T>::Impl::rate() const {
  const auto leader = std::ranges::find(rates, 1.0, &RelativeRate::ratio);
  if (leader == rates.end()) throw Error("this optimizer has no learning rate that could be scheduled");
  return static_cast<double>(store.values(leader->state).front());
}

template <class T>
void Trainer<T>::Impl::set_rate(double rate) {
  if (rates.empty()) throw Error("this optimizer has no learning rate that could be scheduled");
  if (!(rate >= 0) || !std::isfinite(rate))
    throw Error(fmt::format("a learning rate of {} was asked for in epoch {}", rate, at.epoch + 1));
  for (const RelativeRate& each : rates) store.values(each.state).front() = static_cast<T>(rate * each.ratio);
}

template <class T>
NamedValues Trainer<T>::Impl::weights() const {
  NamedValues all;
  for (const std::string& name : weight_names()) {
    const auto values = store.values(name);
    all[name].assign(values.begin(), values.end());
  }
  return all;
}

template <class T>
void Trainer<T>::Impl::set_weights(const NamedValues& weights) {
  for (const auto& [name, values] : weights) store.set(name, values);
}

template <class T>
void Trainer<T>::Impl::stop(std::string reason) {
  stopping = true;
  record.stopped = std::move(reason);
}

template <class T>
void Trainer<T>::Impl::fail(std::string reason) {
  record.failed = true;
  stop(std::move(reason));
}

template <class T>
std::span<const std::uint32_t> Trainer<T>::Impl::rows_of_step(std::int64_t step) const {
  const std::int64_t done = step * at.batch;
  const std::int64_t count = std::min(at.batch, at.samples - done);
  return std::span(rows).subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(count));
}

// The order depends on the count of numbers drawn before alone, which a checkpoint holds.
template <class T>
void Trainer<T>::Impl::order_rows() {
  shuffler.set_counter(at.drawn);
  std::iota(rows.begin(), rows.end(), 0U);
  if (at.shuffle) shuffler.shuffle(rows);
}

template <class T>
void Trainer<T>::Impl::begin(const Dataset<T>& samples, const FitOptions<T>& wanted) {
  at_least_one(wanted.epochs, "epochs");
  at_least_one(wanted.batch, "batch");
  const double split = wanted.validation_split;
  if (!(split >= 0 && split < 1))
    throw Error(fmt::format("fit: validation_split is {}; it must be in [0, 1)", split));
  if (split > 0 && wanted.validation)
    throw Error("fit: there are validation data and a validation_split; give one of both");
  const auto trained =
      static_cast<std::int64_t>(std::floor(static_cast<double>(samples.count()) * (1 - split)));
  if (trained < 1 || (split > 0 && trained == samples.count()))
    throw Error(
        fmt::format("fit: a validation_split of {} leaves {} of {} samples for training and {} for "
                    "validation; there must be some of both",
                    split, trained, samples.count(), samples.count() - trained));
  if (resumed && (at.samples != trained || at.batch != wanted.batch || at.shuffle != wanted.shuffle))
    throw Error(fmt::format(
        "fit: the checkpoint is of {} samples in batches of {}{}, but there are {} samples in batches of "
        "{}{}; resume with the same data and options",
        at.samples, at.batch, at.shuffle ? "" : ", unshuffled", trained, wanted.batch,
        wanted.shuffle ? "" : ", unshuffled"));
  data = &samples;
  validation = wanted.validation ? &*wanted.validation : split > 0 ? data : nullptr;
  validation_rows =
      wanted.validation ? in_order(0, wanted.validation->count()) : in_order(trained, samples.count());
  if (!resumed) {
    at = Position{.drawn = shuffler.counter(), .sums = std::vector<double>(score_names.size(), 0)};
    at.samples = trained;
    at.batch = wanted.batch;
    at.shuffle = wanted.shuffle;
  }
  rows.resize(static_cast<std::size_t>(trained));

  now = {score_names, {}};
  if (validation != nullptr)
    for (const std::string& name : score_names) now.names.push_back("val_" + name);
  now.values.assign(now.names.size(), std::nan(""));
  record = {};
  record.names = now.names;
  if (resumed) record.epochs = earlier_epochs;
  record.planned_epochs = wanted.epochs;
  record.steps = (trained + wanted.batch - 1) / wanted.batch;
  record.samples = trained;
  record.validation = static_cast<std::int64_t>(validation_rows.size());
  record.batch = wanted.batch;
  stopping = false;

  callbacks = wanted.callbacks;
  if (wanted.verbose) callbacks.push_back(progress_bar());
  step_callbacks.clear();
  std::ranges::copy_if(callbacks, std::back_inserter(step_callbacks), &Callback::wants_steps);
  if (resumed)
    for (std::size_t i = 0; i < callbacks.size(); ++i) {
      if (callbacks[i]->name().empty()) continue;
      const auto found = remembered.find(fmt::format("{}/{}", i, callbacks[i]->name()));
      if (found == remembered.end())
        throw Error(
            fmt::format("fit: the checkpoint knows no callback '{}' in place {}; resume with the "
                        "callbacks that it was made with",
                        callbacks[i]->name(), i + 1));
      callbacks[i]->load(found->second);
    }
}

template <class T>
void Trainer<T>::Impl::run_step(typename Programs<T>::Program& program, std::int64_t step) {
  program.run(*data, rows_of_step(step));
}

template <class T>
void Trainer<T>::Impl::run_epoch() {
  while (at.step < record.steps && !stopping) {
    const std::int64_t count = std::min(at.batch, at.samples - at.step * at.batch);
    auto& program = step_programs.at(count);
    for (const auto& callback : step_callbacks) callback->on_step_begin(*this);
    run_step(program, at.step);
    ++at.step;
    for (std::size_t i = 0; i < at.sums.size(); ++i)
      at.sums[i] += static_cast<double>(program.results[i].front()) * static_cast<double>(count);
    last_loss = static_cast<double>(program.results.front().front());
    for (const auto& callback : step_callbacks) callback->on_step_end(*this);
    if (!wanted_checkpoints.empty()) write_checkpoints();
  }
}

template <class T>
void Trainer<T>::Impl::finish_epoch() {
  scores();
  trained_seconds = seconds_since(epoch_start);
  const auto start = Clock::now();
  if (validation != nullptr) {
    const auto means = means_over(*validation, validation_rows, at.batch);
    std::ranges::copy(means, now.values.begin() + static_cast<std::ptrdiff_t>(at.sums.size()));
  }
  validated_seconds = seconds_since(start);
  record.epochs.push_back(now.values);
  for (const auto& callback : callbacks) callback->on_epoch_end(*this);
  ++at.epoch;
  at.step = 0;
  at.drawn = shuffler.counter();
  std::ranges::fill(at.sums, 0.0);
  write_checkpoints();
}

template <class T>
void Trainer<T>::Impl::write_checkpoints() {
  for (const std::string& path : std::exchange(wanted_checkpoints, {})) write_checkpoint(path);
}

template <class T>
History Trainer<T>::Impl::fit(const Dataset<T>& samples, const FitOptions<T>& wanted) {
  begin(samples, wanted);
  for (const auto& callback : callbacks) callback->on_train_begin(*this);
  while (at.epoch < wanted.epochs && !stopping) {
    order_rows();
    trained_seconds = -1;
    epoch_start = Clock::now();
    for (const auto& callback : callbacks) callback->on_epoch_begin(*this);
    run_epoch();
    if (at.step == record.steps && !record.failed) finish_epoch();
  }
  for (const auto& callback : callbacks) callback->on_train_end(*this);
  resumed = false;
  return record;
}

template <class T>
std::vector<double> Trainer<T>::Impl::means_over(const Dataset<T>& from,
                                                 std::span<const std::uint32_t> wanted, std::int64_t batch) {
  std::vector<double> means(score_names.size(), 0);
  for (std::size_t done = 0; done < wanted.size();) {
    const auto count = std::min(wanted.size() - done, static_cast<std::size_t>(batch));
    auto& program = score_programs.at(static_cast<std::int64_t>(count));
    program.run(from, wanted.subspan(done, count));
    done += count;
    for (std::size_t i = 0; i < means.size(); ++i)
      means[i] += static_cast<double>(program.results[i].front()) * static_cast<double>(count);
  }
  for (double& mean : means) mean /= static_cast<double>(wanted.size());
  return means;
}

template <class T>
Trainer<T>::Trainer(const ModelDefinition& model, std::uint64_t seed)
    : impl_(std::make_unique<Impl>(model, seed)) {}
template <class T>
Trainer<T>::Trainer(Trainer&&) noexcept = default;
template <class T>
Trainer<T>& Trainer<T>::operator=(Trainer&&) noexcept = default;
template <class T>
Trainer<T>::~Trainer() = default;

template <class T>
History Trainer<T>::fit(const Dataset<T>& data, const FitOptions<T>& options) {
  return impl_->fit(data, options);
}

template <class T>
Scores Trainer<T>::evaluate(const Dataset<T>& data, std::int64_t batch) {
  at_least_one(batch, "batch");
  return {impl_->score_names, impl_->means_over(data, in_order(0, data.count()), batch)};
}

template <class T>
std::vector<T> Trainer<T>::predict(const Dataset<T>& data, std::int64_t batch) {
  at_least_one(batch, "batch");
  const Rows rows = in_order(0, data.count());
  std::vector<T> predictions;
  for (std::size_t done = 0; done < rows.size();) {
    const auto count = std::min(rows.size() - done, static_cast<std::size_t>(batch));
    auto& program = impl_->predict_programs.at(static_cast<std::int64_t>(count));
    program.run(data, std::span(rows).subspan(done, count));
    predictions.insert(predictions.end(), program.results.front().begin(), program.results.front().end());
    done += count;
  }
  return predictions;
}

template <class T>
void Trainer<T>::save_weights(const std::string& path) const {
  impl_->save_weights(path);
}
template <class T>
void Trainer<T>::load_weights(const std::string& path) {
  impl_->load_weights(path);
}
template <class T>
void Trainer<T>::save_checkpoint(const std::string& path) const {
  impl_->write_checkpoint(path);
}
template <class T>
void Trainer<T>::resume(const std::string& path) {
  impl_->read_checkpoint(path);
}

template <class T>
std::map<std::string, std::string>& Trainer<T>::notes() {
  return impl_->notes;
}

template <class T>
std::string Trainer<T>::summary() const {
  return summary_of(impl_->inference->prediction, impl_->training->graph, impl_->training->updates);
}

template <class T>
Store<T>& Trainer<T>::store() {
  return impl_->store;
}

template <class T>
ModelGraph& Trainer<T>::graph(Mode::Purpose purpose) {
  return purpose == Mode::training ? *impl_->training : *impl_->inference;
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace gradus
