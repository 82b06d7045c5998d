#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "gradus/train/fit_options.hpp"
#include "models/train/compiled_model.hpp"
#include "models/train/data_split.hpp"
#include "models/train/nan_replay.hpp"
#include "models/train/training_state.hpp"

namespace gradus {

/// One call of `fit`: runs the epochs and their steps, and calls the callbacks, which see and steer it as a
/// Training.
template <class T> class TrainingLoop final : public Training {
 public:
  /// All arguments must outlive the loop. The state goes on from where it is if it was resumed, else from the
  /// first epoch. Error for options that make no sense, or differ from those that the training was begun
  /// with.
  TrainingLoop(CompiledModel<T>& model, TrainingState& state, const Dataset<T>& data,
               const FitOptions<T>& options);

  /// Trains up to the last epoch, or until a callback stops it.
  void run();

  std::int64_t epoch() const override { return state_.position.epoch; }
  std::int64_t epochs() const override { return state_.history.planned_epochs; }
  std::int64_t step() const override { return state_.position.step; }
  std::int64_t steps() const override { return state_.history.steps; }
  double loss() const override { return loss_; }
  const Scores& scores() override;
  const History& history() const override { return state_.history; }
  double training_seconds() const override;
  double validation_seconds() const override { return validation_seconds_; }
  double rate() const override;
  bool has_rate() const override { return !model_.rates().empty(); }
  void set_rate(double rate) override;
  void limit_rate(double most) override;
  NamedValues weights() const override { return model_.weights().values(); }
  void set_weights(const NamedValues& weights) override { model_.weights().set(weights); }
  NamedValues gradients() override;
  const ModelGraph& graph() const override { return model_.graph(Mode::training); }
  void stop(std::string reason) override;
  void fail(std::string reason) override;
  void save_checkpoint(const std::string& path) override { requested_checkpoints_.push_back(path); }
  void save_weights(const std::string& path) override { model_.weights().save(path, state_.notes); }
  void skip_step() override;
  void go_back() override { replay_.go_back(); }
  void remark(std::string text) override { state_.history.remarks.push_back(place() + std::move(text)); }

 private:
  void begin_history(const FitOptions<T>& options);
  void order_samples();
  void run_epoch();
  void mark();
  Step<T> begin_step(std::int64_t step);
  bool run_step(std::int64_t step);
  void undo_step(std::int64_t last);
  std::string place() const;
  void finish_epoch();
  void write_checkpoints();

  CompiledModel<T>& model_;
  TrainingState& state_;
  const Dataset<T>& data_;
  DataSplit<T> split_;
  Rows order_;  // the samples to train on, as this epoch takes them
  Callbacks step_callbacks_;
  std::int64_t looks_after_ = 1;  // steps
  NanReplay<T> replay_;
  std::vector<double> marked_sums_;  // the position's, at the mark
  Scores scores_;
  double loss_ = 0;
  double most_rate_ = INFINITY;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point epoch_start_;
  double training_seconds_ = -1;  // negative while the epoch's steps run
  double validation_seconds_ = 0;
  std::vector<std::string> requested_checkpoints_;  // paths
};

}  // namespace gradus
