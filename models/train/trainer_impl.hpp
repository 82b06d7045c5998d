#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gradus/base/random.hpp"
#include "gradus/train/trainer.hpp"
#include "models/train/position.hpp"
#include "models/train/programs.hpp"

/// What trainer.cpp, checkpoint.cpp and find_nan.cpp share.
namespace gradus {

/// A learning rate's state and its share of the training's rate.
struct RelativeRate {
  std::string state;  ///< that holds it
  double ratio = 1;   ///< to the first one that is not zero
};

template <class T>
struct Trainer<T>::Impl final : Training {
  Impl(const ModelDefinition& model, std::uint64_t seed);

  // Training.
  std::int64_t epoch() const override { return at.epoch; }
  std::int64_t epochs() const override { return record.planned_epochs; }
  std::int64_t step() const override { return at.step; }
  std::int64_t steps() const override { return record.steps; }
  double loss() const override { return last_loss; }
  const Scores& scores() override;
  const History& history() const override { return record; }
  double training_seconds() const override;
  double validation_seconds() const override { return validated_seconds; }
  double rate() const override;
  void set_rate(double rate) override;
  NamedValues weights() const override;
  void set_weights(const NamedValues& weights) override;
  void stop(std::string reason) override;
  void fail(std::string reason) override;
  void save_checkpoint(const std::string& path) override { wanted_checkpoints.push_back(path); }
  void save_weights(const std::string& path) override;
  void mark() override;
  std::string find_nan() override;

  History fit(const Dataset<T>& samples, const FitOptions<T>& wanted);
  void begin(const Dataset<T>& samples, const FitOptions<T>& wanted);
  void run_epoch();
  void run_step(typename Programs<T>::Program& program, std::int64_t step);
  std::span<const std::uint32_t> rows_of_step(std::int64_t step) const;
  void order_rows();
  void finish_epoch();
  void write_checkpoints();
  std::vector<double> means_over(const Dataset<T>& from, std::span<const std::uint32_t> wanted,
                                 std::int64_t batch);

  void write_checkpoint(const std::string& path) const;
  void read_checkpoint(const std::string& path);
  void load_weights(const std::string& path);
  std::vector<std::string> weight_names() const;

  std::unique_ptr<ModelGraph> training;
  std::unique_ptr<ModelGraph> inference;
  Store<T> store;
  std::vector<RelativeRate> rates;  // of the optimizer, or of its groups
  std::uint64_t seed;
  Programs<T> step_programs;
  Programs<T> score_programs;
  Programs<T> predict_programs;
  std::vector<std::string> score_names;
  std::map<std::string, std::string> notes;

  // Of the fit under way.
  const Dataset<T>* data = nullptr;
  Callbacks callbacks;
  Callbacks step_callbacks;
  Random shuffler;
  Rows rows;             // of training, in this epoch's order
  Rows validation_rows;  // of the same data, or of its own
  const Dataset<T>* validation = nullptr;
  Position at;
  bool resumed = false;
  std::map<std::string, NamedValues> remembered;    // by callbacks, from a checkpoint
  std::vector<std::vector<double>> earlier_epochs;  // the history, from a checkpoint
  History record;
  Scores now;
  double last_loss = 0;
  bool stopping = false;
  double trained_seconds = -1;  // negative while the epoch runs
  double validated_seconds = 0;
  std::chrono::steady_clock::time_point epoch_start;
  std::vector<std::string> wanted_checkpoints;
  std::int64_t mark_step = 0;
  std::vector<std::vector<T>> marked;  // in the order of store.names()
};

}  // namespace gradus
