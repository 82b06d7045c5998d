#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/train/dataset.hpp"
#include "gradus/train/model.hpp"
#include "models/train/model_weights.hpp"
#include "models/train/programs.hpp"

namespace gradus {

/// A learning rate's state and its share of the training's rate.
struct RelativeRate {
  std::string state;  ///< that holds it
  double ratio = 1;   ///< to the first one that is not zero
};

/// A model as it is computed: a graph for training and one for inference, whose variables are in one store,
/// and the programs that they compile to.
template <class T> class CompiledModel {
 public:
  /// Builds both graphs and creates their variables, which start from the seed. Error for a definition that
  /// lacks a part, or whose loss or metric is no scalar. What the model itself does not build carries the
  /// line `where`.
  CompiledModel(const ModelDefinition& model, std::uint64_t seed, Location where);

  /// Steps and scores are compiled with these options from now on, and predictions, but in one thread.
  void set_options(const CompileOptions& options) {
    step_programs_.set_options(options);
    score_programs_.set_options(options);
    predict_programs_.set_options({.reproducible = options.reproducible});
    gradient_programs_.reset();
    options_ = options;
  }

  /// Makes what the store has dropped anew, with its starting values, and the programs that used it. To be
  /// called before what follows is used.
  void renew();

  /// The graph for training, or the one for inference.
  ModelGraph& graph(Mode::Purpose purpose) { return purpose == Mode::training ? *training_ : *inference_; }
  Store<T>& store() { return store_; }
  ModelWeights<T>& weights() { return weights_; }
  /// "loss", then the metrics.
  const std::vector<std::string>& score_names() const { return score_names_; }
  /// The learning rates of the optimizer, or of its groups; none for an optimizer without any.
  const std::vector<RelativeRate>& rates() const { return rates_; }

  /// Error, naming all that the model is fed, unless the data have a tensor of the right width for each of
  /// it; for predictions the targets, and the weights behind them, may be missing. `what` begins the message.
  void require_data(std::string_view what, const Dataset<T>& data, bool with_targets) const;

  /// The program of a training step, whose results are the scores.
  typename Programs<T>::Program& training_step(std::int64_t batch) { return step_programs_.at(batch); }
  /// The means of the scores over rows of the data, at inference. Samples of weight 0 have no part in them.
  std::vector<double> mean_scores(const Dataset<T>& data, std::span<const std::uint32_t> rows,
                                  std::int64_t batch);
  /// The gradient of the loss by each parameter over these rows, in training; nothing is updated.
  NamedValues gradients(const Dataset<T>& data, std::span<const std::uint32_t> rows);
  /// The predictions for all of the data, row-major.
  std::vector<T> predict(const Dataset<T>& data, std::int64_t batch);

 private:
  Rows of_weight(const Dataset<T>& data, std::span<const std::uint32_t> rows, std::int64_t batch);

  std::unique_ptr<ModelGraph> training_;
  std::unique_ptr<ModelGraph> inference_;
  Store<T> store_;
  ModelWeights<T> weights_;
  std::vector<RelativeRate> rates_;
  CountedRows<T> counted_;
  std::vector<std::string> score_names_;
  CompileOptions options_;
  Programs<T> step_programs_;
  Programs<T> score_programs_;
  Programs<T> predict_programs_;
  std::unique_ptr<Programs<T>> gradient_programs_;  // once it is asked for
};

}  // namespace gradus
