#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "gradus/optim/sgd.hpp"
#include "gradus/train/training.hpp"
#include "models/tutorials/tutorial.hpp"

namespace GRADUS_PUBLIC gradus {

/// Inputs and targets, a row a sample.
struct Data {
  std::vector<double> inputs;
  std::vector<double> targets;
  std::int64_t count;
};

using Loss = Expr (*)(Arg prediction, Arg target);

/// A network of rows to rows, with the loss that plain SGD descends and the one that is printed.
inline ModelDefinition small_model(std::int64_t inputs, std::int64_t outputs,
                                   std::function<Expr(const Expr& x)> forward, Loss training_loss,
                                   Loss reported_loss, double rate) {
  return {.inputs = {{"x", {B, inputs}}},
          .target = {"target", {B, outputs}},
          .network = [forward = std::move(forward)](const std::vector<Expr>& in,
                                                    Mode&) { return forward(in.front()); },
          .loss = training_loss,
          .metrics = {{"reported", reported_loss}},
          .optimizer = sgd({.rate = rate})};
}

/// A small model in training, its samples always in the same order.
template <class T> class SmallTraining {
 public:
  SmallTraining(const ModelDefinition& model, const Data& data, std::uint64_t seed = 0)
      : trainer_(model, seed), data_(data.count, {data.inputs, data.targets}) {}

  /// Full passes over the samples.
  History fit(std::int64_t epochs, std::int64_t batch, const Callbacks& callbacks,
              const TrainingFiles& files = {}, const CompileOptions& compiled = {}) {
    return run_training(trainer_, data_,
                        {.epochs = epochs,
                         .batch = batch,
                         .shuffle = false,
                         .callbacks = callbacks,
                         .verbose = false,
                         .threads = compiled.threads,
                         .reproducible = compiled.reproducible},
                        files);
  }

  /// The printed loss over all samples, now.
  double loss() { return trainer_.evaluate(data_, data_.count()).at("reported"); }

  /// Outputs for rows of inputs.
  std::vector<double> predict(const std::vector<double>& inputs, std::int64_t count = 1) {
    const auto y = trainer_.predict(Dataset<T>(count, {inputs}), count);
    return {y.begin(), y.end()};
  }

  Trainer<T>& trainer() { return trainer_; }
  std::map<std::string, std::vector<double>, std::less<>> parameters() {
    return parameters_of(trainer_.store(), trainer_.graph(Mode::training).graph);
  }

 private:
  Trainer<T> trainer_;
  Dataset<T> data_;
};

/// The common base of the tutorials that train a small network on data in the source.
class SmallTutorial : public Tutorial {
 public:
  Problem problem() const final;
  RunReport train(const TrainOptions& options) const final;

 protected:
  struct Settings {
    double rate;
    std::int64_t epochs;
    std::int64_t batch;
    std::int64_t print_every;
    const char* line;  ///< of the epoch and the loss
  };
  using Predict = std::function<std::vector<double>(const std::vector<double>& inputs, std::int64_t count)>;

  /// The outputs for the samples after so many epochs.
  struct Fit {
    std::int64_t epochs;
    std::vector<double> outputs;
  };
  /// A trained network, from which the pictures of a report are drawn.
  struct Trained {
    Predict predict;
    std::vector<Fit> fits;  ///< before the training, on the way, and at its end
    double rate;
    std::int64_t epochs;
  };

  virtual Settings settings() const = 0;
  virtual Data data() const = 0;
  /// The data in words.
  virtual Facts data_facts() const = 0;
  /// The losses to draw, each with its description: "loss", and "reported" if the printed loss is another
  /// one.
  virtual std::vector<std::pair<std::string, std::string>> loss_texts() const = 0;
  virtual std::string loss_unit() const { return "no unit"; }
  virtual ModelDefinition written_out(double rate) const = 0;
  virtual ModelDefinition random(const TrainOptions& options, double rate) const = 0;
  /// The trained network's predictions, to be printed and reported.
  virtual Facts conclude(const Predict& predict, double loss) const = 0;
  /// The pictures of the report in addition to the loss curves.
  virtual std::vector<Picture> pictures(const Trained& trained) const = 0;

  /// The map with the network's first output at each point, times `scale`; `to_inputs` makes inputs of a
  /// point.
  static Map filled(Map map, const Predict& predict,
                    const std::function<std::vector<double>(double x, double y)>& to_inputs,
                    double scale = 1);

  /// The printed losses before epochs 0, every, …, and the figures and parameters at the end.
  template <class T> Result losses_before(SmallTraining<T>& training) const {
    const auto [rate, epochs, batch, every, line] = settings();
    Result result;
    const auto note = [&, every = every](Training& t) {
      if (t.epoch() % every == 0) result.losses.push_back(training.loss());
    };
    training.fit(epochs, batch, {on_epoch_begin(note)});
    result.figures["final_loss"] = training.loss();
    result.parameters = training.parameters();
    return result;
  }
};

/// A network that is not trained: what it makes of one sample.
class ForwardTutorial : public Tutorial {
 public:
  std::vector<Figure> figures() const final;
  Problem problem() const final;
  Result reproduce(const ReproduceOptions& options) const final;

 protected:
  virtual Expr forward(const Expr& x) const = 0;
  virtual double output() const = 0;  ///< what the tutorial prints
};

}  // namespace gradus
