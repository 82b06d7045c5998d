#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "gradus/models/layers.hpp"
#include "gradus/models/tutorials/all.hpp"
#include "gradus/models/tutorials/small_network.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"

namespace gradus {

namespace {

constexpr std::int64_t points = 100;
constexpr std::int64_t hidden_units = 25;
constexpr double default_rate = 0.3;
constexpr double gentle_rate = 0.05;
constexpr std::int64_t default_steps = 4000;
constexpr std::int64_t print_every = 100;

Data make_data() {
  Data data{{}, {}, points};
  for (std::int64_t i = 0; i < points; ++i) {
    const double x = 0.01 * static_cast<double>(i);
    data.inputs.push_back(x);
    data.targets.push_back(20 * std::sin(2 * std::numbers::pi * x));
  }
  return data;
}

std::vector<double> magnitudes(std::vector<double> values) {
  for (double& v : values) v = std::abs(v);
  return values;
}

Expr half_mse(Arg prediction, Arg target) { return 0.5 * mse(prediction, target); }

std::shared_ptr<SmallNetwork> network(const Initializer& hidden, const Initializer& output) {
  const auto forward = [&](const Expr& x) {
    const Expr h = sigmoid(linear(x, hidden_units, "hidden", {.weights = hidden}));
    return linear(h, 1, "output", {.weights = output});
  };
  return std::make_shared<SmallNetwork>(1, 1, forward, half_mse, mse);
}

std::shared_ptr<SmallNetwork> written_out() {
  return network(values(magnitudes(sine_pattern(1, hidden_units, 1))),
                 values(magnitudes(sine_pattern(hidden_units, 1, 1))));
}

// The losses before steps 0, 100, …, and the one after the last update.
template <class T>
Result fit(double rate) {
  const Data data = make_data();
  const auto network = written_out();
  SgdTraining<T> training(*network, data, rate, Store<T>());
  Result result;
  for (std::int64_t step = 0; step < default_steps; ++step) {
    if (step % print_every == 0) result.losses.push_back(training.loss());
    training.epoch(points);
  }
  result.figures["final_loss"] = training.loss();
  result.parameters = training.parameters();
  return result;
}

class Sine final : public Tutorial {
 public:
  std::string_view name() const override { return "sine"; }
  std::string_view summary() const override {
    return "1-25-1, sigmoid then linear, fits 20 sin 2πx, full batch";
  }
  std::vector<Figure> figures() const override {
    // At a rate of 0.3 the descent passes so near an instability that rounding to single precision, of the
    // activations or of the weights alone, ends in another valley: NumPy in float32 gets 0.2322, and 0.2324
    // to 0.2334 with the samples in other orders.
    return {{"final_loss", {}, 0.35843195514081044, 1e-4, true, 0.05, 0.2322},
            {"gentle_final_loss", {}, 0.9082392616791357, 1e-10, true, 0.05}};
  }

  Problem problem() const override { return problem_of(written_out(), make_data(), default_rate); }

  // A rate of 0.3 amplifies rounding; the same with 0.05 is what can be compared digit for digit. Its losses
  // follow those of 0.3 in the result.
  Result reproduce(const ReproduceOptions& options) const override {
    return with_precision(options.precision, [](auto tag) {
      using T = decltype(tag);
      Result result = fit<T>(default_rate);
      const Result gentle = fit<T>(gentle_rate);
      result.losses.insert(result.losses.end(), gentle.losses.begin(), gentle.losses.end());
      result.figures["gentle_final_loss"] = gentle.figures.at("final_loss");
      return result;
    });
  }

  void train(const TrainOptions& options) const override {
    const auto steps = epochs_or(options, default_steps);
    const auto batch = batch_or(options, points);
    const double rate = rate_or(options, default_rate);
    with_precision(options.precision.value_or(Precision::double_), [&](auto tag) {
      using T = decltype(tag);
      const Data data = make_data();
      const auto random = network(uniform(0, 1), uniform(0, 1));
      SgdTraining<T> training(*random, data, rate, Store<T>(options.seed));
      run_epochs(training, steps, batch, print_every, [&](std::int64_t step) {
        options.print(fmt::format("Step {} mean square: {:.6f}\n", step, training.loss()));
      });
      print_fit(data, training.predict(data.inputs, points), options);
    });
  }

 private:
  static void print_fit(const Data& data, const std::vector<double>& fitted, const TrainOptions& options) {
    options.print(fmt::format("{:>6} {:>10} {:>10}\n", "x", "20 sin 2πx", "fit"));
    double largest = 0;
    for (std::size_t i = 0; i < fitted.size(); ++i) {
      largest = std::max(largest, std::abs(fitted[i] - data.targets[i]));
      constexpr std::size_t shown_every = 10;
      if (i % shown_every == 0)
        options.print(
            fmt::format("{:>6.2f} {:>10.3f} {:>10.3f}\n", data.inputs[i], data.targets[i], fitted[i]));
    }
    options.print(fmt::format("largest deviation of the fit: {:.3f}\n", largest));
  }
};

}  // namespace

const Tutorial& sine() {
  static const Sine tutorial;
  return tutorial;
}

}  // namespace gradus
