#include <fmt/format.h>

#include "gradus/models/layers.hpp"
#include "gradus/models/tutorials/all.hpp"
#include "gradus/models/tutorials/small_network.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"

namespace gradus {

namespace {

const Data sample{{0.05, 0.10}, {0.01, 0.99}, 1};
constexpr double default_rate = 0.5;
constexpr std::int64_t default_steps = 10000;
constexpr std::int64_t print_every = 1000;

std::shared_ptr<SmallNetwork> network(const Initializer& hidden, const Initializer& output) {
  const auto forward = [&](const Expr& x) {
    // The biases are given and never trained.
    const Expr h = sigmoid(linear(x, 2, "hidden", {.weights = hidden, .has_bias = false}) + 0.35);
    return sigmoid(linear(h, 2, "output", {.weights = output, .has_bias = false}) + 0.60);
  };
  return std::make_shared<SmallNetwork>(2, 2, forward, half_squared_error, half_squared_error);
}

// w1 … w8; a column holds the weights into one neuron.
std::shared_ptr<SmallNetwork> written_out() {
  return network(values({0.15, 0.25, 0.20, 0.30}), values({0.40, 0.50, 0.45, 0.55}));
}

class TwoTargets final : public Tutorial {
 public:
  std::string_view name() const override { return "two-targets"; }
  std::string_view summary() const override { return "2-2-2 sigmoid, fixed biases, half squared error, SGD"; }
  std::vector<Figure> figures() const override {
    // The published pair comes from a gradient with two slips; see the README.
    return {{"o1", 0.015914607588423745, 0.015914185034957177, 1e-12},
            {"o2", 0.9840961824613796, 0.9840637123033571, 1e-12},
            {"loss", {}, 3.510854812251261e-05, 1e-12}};
  }

  Problem problem() const override { return problem_of(written_out(), sample, default_rate); }

  // The figures are those of the last step's forward pass, before its update.
  Result reproduce(const ReproduceOptions& options) const override {
    return with_precision(options.precision, [](auto tag) {
      using T = decltype(tag);
      const auto network = written_out();
      SgdTraining<T> training(*network, sample, default_rate, Store<T>());
      Result result;
      for (std::int64_t step = 0; step < default_steps; ++step) {
        if (step % print_every == 0 || step == default_steps - 1) result.losses.push_back(training.loss());
        if (step == default_steps - 1) {
          const auto y = training.predict(sample.inputs, 1);
          result.figures = {{"o1", y[0]}, {"o2", y[1]}, {"loss", result.losses.back()}};
        }
        training.epoch(1);
      }
      result.parameters = training.parameters();
      return result;
    });
  }

  void train(const TrainOptions& options) const override {
    const auto steps = epochs_or(options, default_steps);
    const auto batch = batch_or(options, 1);
    const double rate = rate_or(options, default_rate);
    with_precision(options.precision.value_or(Precision::double_), [&](auto tag) {
      using T = decltype(tag);
      const auto random = network(uniform(0, 1), uniform(0, 1));
      SgdTraining<T> training(*random, sample, rate, Store<T>(options.seed));
      run_epochs(training, steps, batch, print_every, [&](std::int64_t step) {
        options.print(fmt::format("Step {} loss: {:.9f}\n", step, training.loss()));
      });
      const auto y = training.predict(sample.inputs, 1);
      options.print(fmt::format("o1 (target 0.01): {:.6f}\no2 (target 0.99): {:.6f}\n", y[0], y[1]));
    });
  }
};

}  // namespace

const Tutorial& two_targets() {
  static const TwoTargets tutorial;
  return tutorial;
}

}  // namespace gradus
