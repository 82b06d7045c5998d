#include "models/train/training_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "gradus/base/error.hpp"
#include "gradus/train/progress.hpp"
#include "models/train/checkpoint.hpp"

namespace gradus {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Values are looked at after so many steps, as a look at all of them costs as much as a small step does; when
// they are not finite, at most so many are repeated to find the step that was not.
constexpr std::int64_t marked_every = 64;

void require_rate(const std::vector<RelativeRate>& rates) {
  if (rates.empty()) throw Error("this optimizer has no learning rate that could be scheduled");
}

// The data and how they are used, as far as a resumed training must have the same.
template <class T> std::string identity_of(const Dataset<T>& data, const FitOptions<T>& options) {
  const std::uint64_t validation = options.validation ? options.validation->fingerprint() : 0;
  return fmt::format("data {:x}, validation {:x} {} {}, drop_last {}", data.fingerprint(), validation,
                     options.validation ? options.validation->count() : 0, options.validation_split,
                     options.drop_last);
}

}  // namespace

template <class T>
TrainingLoop<T>::TrainingLoop(CompiledModel<T>& model, TrainingState& state, const Dataset<T>& data,
                              const FitOptions<T>& options)
    : model_(model),
      state_(state),
      data_(data),
      split_(split_data(data, options)),
      replay_(model.graph(Mode::training), model.store()) {
  model.set_options({.threads = options.threads, .reproducible = options.reproducible});
  if (state.resumed)
    state.require_same(split_.training, options.batch, options.shuffle);
  else
    state.start(split_.training, options.batch, options.shuffle, model.score_names().size());
  state.use_data(identity_of(data, options));
  order_.resize(static_cast<std::size_t>(split_.training));
  begin_history(options);
  Callbacks callbacks = options.callbacks;
  if (options.verbose) callbacks.push_back(progress_bar());
  for (auto& callback : callbacks)
    if (auto own = callback->for_fit()) callback = std::move(own);
  std::ranges::copy_if(callbacks, std::back_inserter(step_callbacks_), &Callback::wants_steps);
  looks_after_ = std::ranges::any_of(step_callbacks_, &Callback::sees_values) ? 1 : marked_every;
  state.restore(callbacks);
  state.callbacks = std::move(callbacks);
  state.resumed.reset();
  order_samples();  // callbacks may ask for gradients before the first epoch
}

template <class T> void TrainingLoop<T>::begin_history(const FitOptions<T>& options) {
  scores_ = {model_.score_names(), {}};
  if (split_.validation != nullptr)
    for (const std::string& name : model_.score_names()) scores_.names.push_back("val_" + name);
  scores_.values.assign(scores_.names.size(), std::nan(""));
  History history;
  history.names = scores_.names;
  history.epochs = std::move(state_.history.epochs);
  history.planned_epochs = options.epochs;
  const bool has_rest = !options.drop_last && split_.training % options.batch != 0;
  history.steps = split_.training / options.batch + (has_rest ? 1 : 0);
  if (history.steps == 0)
    throw Error(fmt::format("fit: drop_last leaves no batch of {}, as there are {} samples for training",
                            options.batch, split_.training));
  history.samples = split_.training;
  history.validation = static_cast<std::int64_t>(split_.validation_rows.size());
  history.batch = options.batch;
  history.remarks = std::exchange(state_.remarks, {});
  state_.history = std::move(history);
}

template <class T> void TrainingLoop<T>::run() {
  for (const auto& callback : state_.callbacks) callback->on_train_begin(*this);
  while (epoch() < epochs() && !stopping_) {
    order_samples();
    training_seconds_ = -1;
    epoch_start_ = Clock::now();
    for (const auto& callback : state_.callbacks) callback->on_epoch_begin(*this);
    mark();
    run_epoch();
    if (step() == steps() && !state_.history.failed) finish_epoch();
  }
  for (const auto& callback : state_.callbacks) callback->on_train_end(*this);
}

// The order depends only on how many numbers were drawn before it, which a checkpoint holds.
template <class T> void TrainingLoop<T>::order_samples() {
  state_.shuffler.set_counter(state_.position.drawn);
  std::iota(order_.begin(), order_.end(), 0U);
  if (state_.position.shuffle) state_.shuffler.shuffle(order_);
}

template <class T> void TrainingLoop<T>::run_epoch() {
  while (step() < steps() && !stopping_) {
    if (step() - replay_.marked() >= marked_every) mark();
    const std::int64_t at = step(), done = at + 1;
    const bool is_finite = run_step(at);
    const bool looks = (done - replay_.marked()) % looks_after_ == 0 || done == steps();
    if (!is_finite || (looks && !replay_.wrote_finite())) {
      undo_step(at);
    } else {
      if (looks) replay_.confirm();
      for (const auto& callback : step_callbacks_) callback->on_step_end(*this);
      if (stopping_ && !looks && !replay_.wrote_finite()) undo_step(at);
    }
    if (!requested_checkpoints_.empty()) write_checkpoints();
  }
}

template <class T> void TrainingLoop<T>::mark() {
  replay_.mark(step());
  marked_sums_ = state_.position.sums;
}

template <class T> Step<T> TrainingLoop<T>::begin_step(std::int64_t step) {
  Position& at = state_.position;
  at.step = step;
  const std::int64_t done = step * at.batch, count = std::min(at.batch, at.samples - done);
  auto& program = model_.training_step(count);
  for (const auto& callback : step_callbacks_) callback->on_step_begin(*this);
  return {program, data_,
          std::span(order_).subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(count))};
}

// Trains on one batch and adds its scores to the epoch's, unless the loss is not finite: then it says so.
template <class T> bool TrainingLoop<T>::run_step(std::int64_t step) {
  const Step<T> next = begin_step(step);
  next.run();
  const auto& scores = next.program.results;
  loss_ = static_cast<double>(scores.front().front());
  if (!std::isfinite(loss_)) return false;
  Position& at = state_.position;
  for (std::size_t i = 0; i < at.sums.size(); ++i)
    at.sums[i] += static_cast<double>(scores[i].front()) * static_cast<double>(next.rows.size());
  ++at.step;
  return true;
}

template <class T> void TrainingLoop<T>::finish_epoch() {
  Position& at = state_.position;
  scores();
  training_seconds_ = seconds_since(epoch_start_);
  const auto start = Clock::now();
  if (split_.validation != nullptr) {
    const auto means = model_.mean_scores(*split_.validation, split_.validation_rows, at.batch);
    std::ranges::copy(means, scores_.values.begin() + static_cast<std::ptrdiff_t>(at.sums.size()));
  }
  validation_seconds_ = seconds_since(start);
  state_.history.epochs.push_back(scores_.values);
  for (const auto& callback : state_.callbacks) callback->on_epoch_end(*this);
  ++at.epoch;
  at.step = 0;
  at.skipped = 0;
  at.drawn = state_.shuffler.counter();
  std::ranges::fill(at.sums, 0.0);
  write_checkpoints();
}

template <class T> void TrainingLoop<T>::write_checkpoints() {
  for (const std::string& path : std::exchange(requested_checkpoints_, {}))
    write_checkpoint(path, model_.store(), state_);
}

template <class T> const Scores& TrainingLoop<T>::scores() {
  // At the end of an epoch they are complete; before that they are computed only when a callback asks.
  if (training_seconds_ >= 0) return scores_;
  const Position& at = state_.position;
  const auto done = std::min(at.step * at.batch, at.samples) - at.skipped;
  for (std::size_t i = 0; i < at.sums.size(); ++i)
    scores_.values[i] = done > 0 ? at.sums[i] / static_cast<double>(done) : at.step > 0 ? std::nan("") : 0;
  return scores_;
}

template <class T> double TrainingLoop<T>::training_seconds() const {
  return training_seconds_ >= 0 ? training_seconds_ : seconds_since(epoch_start_);
}

template <class T> double TrainingLoop<T>::rate() const {
  require_rate(model_.rates());
  const auto leader = std::ranges::find(model_.rates(), 1.0, &RelativeRate::ratio);
  return static_cast<double>(model_.store().values(leader->state).front());
}

template <class T> void TrainingLoop<T>::set_rate(double rate) {
  require_rate(model_.rates());
  if (!(rate >= 0) || !std::isfinite(rate))
    throw Error(fmt::format("a learning rate of {} was asked for in epoch {}", rate, epoch() + 1));
  for (const RelativeRate& each : model_.rates())
    model_.store().values(each.state).front() = static_cast<T>(std::min(rate, most_rate_) * each.ratio);
}

template <class T> void TrainingLoop<T>::limit_rate(double most) {
  most_rate_ = most;
  if (rate() > most) set_rate(most);
}

template <class T> NamedValues TrainingLoop<T>::gradients() {
  const auto count = static_cast<std::size_t>(std::min(state_.position.batch, state_.position.samples));
  return model_.gradients(data_, std::span(order_).first(count));
}

template <class T> void TrainingLoop<T>::stop(std::string reason) {
  stopping_ = true;
  state_.history.stopped = std::move(reason);
}

template <class T> void TrainingLoop<T>::fail(std::string reason) {
  state_.history.failed = true;
  stop(place() + reason);
}

template <class T> std::string TrainingLoop<T>::place() const {
  return fmt::format("epoch {}, step {}: ", epoch() + 1, step() + 1);
}

// A step since the mark was not finite, `last` at the latest. All values become those before it, and the
// callbacks say how to go on.
template <class T> void TrainingLoop<T>::undo_step(std::int64_t last) {
  const auto rewind = [this] {
    replay_.rewind();
    state_.position.sums = marked_sums_;
  };
  rewind();
  std::int64_t bad = replay_.marked();
  while (bad < last && run_step(bad) && replay_.wrote_finite()) ++bad;
  if (bad < last) {
    rewind();
    for (std::int64_t i = replay_.marked(); i < bad; ++i) run_step(i);
  }
  if (bad > replay_.marked()) replay_.confirm();
  const auto found = replay_.trace(begin_step(bad));
  const std::string where =
      found.value_or("the step is not finite, though every node is when computed by itself");
  const auto steers = [&](const auto& callback) { return callback->on_not_finite(*this, where); };
  if (std::ranges::none_of(state_.callbacks, steers)) throw Error("fit: " + place() + where);
  mark();
}

template <class T> void TrainingLoop<T>::skip_step() {
  Position& at = state_.position;
  at.skipped += std::min(at.batch, at.samples - at.step * at.batch);
  ++at.step;
}

template class TrainingLoop<float>;
template class TrainingLoop<double>;

}  // namespace gradus
