#include "gradus/models/tutorials/bp_network.hpp"

#include <fmt/format.h>

#include <cmath>

#include "gradus/models/layers.hpp"
#include "gradus/models/tutorials/all.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"

namespace gradus {

namespace {

const Data exclusive_or{{0, 0, 0, 1, 1, 0, 1, 1}, {0, 1, 1, 0}, 4};
constexpr double default_rate = 0.5;
constexpr std::int64_t default_steps = 10000;
constexpr std::int64_t print_every = 1000;

struct Sizes {
  std::int64_t inputs = 2;
  std::int64_t hidden = 4;
  std::int64_t outputs = 1;
};

std::shared_ptr<SmallNetwork> network(const Sizes& sizes, const Initializer& hidden,
                                      const Initializer& output) {
  const auto forward = [&](const Expr& x) {
    const Expr h = sigmoid(linear(x, sizes.hidden, "hidden", {.weights = hidden}));
    return sigmoid(linear(h, sizes.outputs, "output", {.weights = output}));
  };
  return std::make_shared<SmallNetwork>(sizes.inputs, sizes.outputs, forward, half_squared_error, mse);
}

std::shared_ptr<SmallNetwork> written_out() {
  return network({}, values(sine_pattern(2, 4, 1)), values(sine_pattern(4, 1, 1)));
}

class BpNetworkTutorial final : public Tutorial {
 public:
  std::string_view name() const override { return "bp-network"; }
  std::string_view summary() const override {
    return "n-h-o sigmoid of any size, whole batch, shown on XOR (2-4-1)";
  }
  std::vector<Figure> figures() const override { return {{"final_loss", {}, 0.0002896432065179488, 1e-10}}; }

  Problem problem() const override { return problem_of(written_out(), exclusive_or, default_rate); }

  Result reproduce(const ReproduceOptions& options) const override {
    return with_precision(options.precision, [](auto tag) {
      using T = decltype(tag);
      const auto network = written_out();
      SgdTraining<T> training(*network, exclusive_or, default_rate, Store<T>());
      Result result;
      for (std::int64_t step = 0; step < default_steps; ++step) {
        if (step % print_every == 0) result.losses.push_back(training.loss());
        training.epoch(exclusive_or.count);
      }
      result.figures["final_loss"] = training.loss();
      result.parameters = training.parameters();
      return result;
    });
  }

  void train(const TrainOptions& options) const override {
    const auto steps = epochs_or(options, default_steps);
    const auto batch = batch_or(options, exclusive_or.count);
    const double rate = rate_or(options, default_rate);
    const double scale = options.init_scale.value_or(1);
    with_precision(options.precision.value_or(Precision::double_), [&](auto tag) {
      using T = decltype(tag);
      const auto random = network({}, normal(0, scale), normal(0, scale));
      SgdTraining<T> training(*random, exclusive_or, rate, Store<T>(options.seed));
      run_epochs(training, steps, batch, print_every, [&](std::int64_t step) {
        options.print(fmt::format("Step {} loss: {:.6f}\n", step, training.loss()));
      });
      options.print(fmt::format("final loss: {:.6f}\n", training.loss()));
      print_truth_table(training.predict(exclusive_or.inputs, exclusive_or.count), options);
    });
  }

 private:
  static void print_truth_table(const std::vector<double>& y, const TrainOptions& options) {
    bool solved = true;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double target = exclusive_or.targets[i];
      // NaN counts as wrong.
      solved = solved && std::abs(y[i] - target) < 0.5;
      options.print(fmt::format("{:.0f} xor {:.0f} = {:.0f}: {:.3f}\n", exclusive_or.inputs[2 * i],
                                exclusive_or.inputs[2 * i + 1], target, y[i]));
    }
    options.print(solved ? "XOR solved\n" : "XOR not solved\n");
  }
};

}  // namespace

BpNetwork::BpNetwork(std::int64_t inputs, std::int64_t hidden, std::int64_t outputs, double init_scale,
                     std::uint64_t seed)
    : network_(network({inputs, hidden, outputs}, normal(0, init_scale), normal(0, init_scale))),
      updates_(sgd(network_->loss)),
      store_(seed) {}

double BpNetwork::train(const Matrix& x, const Matrix& targets, std::int64_t epochs, double rate) {
  const auto batch = static_cast<std::int64_t>(x.shape().at(0));
  auto step = compile<double>({}, updates_, batch, store_);
  store_.set("sgd/rate", std::vector{rate});
  feed(step, network_->x, x);
  feed(step, network_->target, targets);
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) step.run();
  auto evaluate = compile<double>({network_->reported}, {}, batch, store_);
  feed(evaluate, network_->x, x);
  feed(evaluate, network_->target, targets);
  evaluate.run();
  return evaluate.output().item();
}

BpNetwork::Matrix BpNetwork::predict(const Matrix& x) const {
  auto program = compile<double>({network_->y}, {}, static_cast<std::int64_t>(x.shape().at(0)), store_);
  feed(program, network_->x, x);
  program.run();
  return to_xtensor(program.output());
}

const Tutorial& bp_network() {
  static const BpNetworkTutorial tutorial;
  return tutorial;
}

}  // namespace gradus
