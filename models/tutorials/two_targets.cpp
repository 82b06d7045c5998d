#include <fmt/format.h>

#include "gradus/models/layers.hpp"
#include "gradus/models/tutorials/all.hpp"
#include "gradus/models/tutorials/small_network.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"

namespace gradus {

namespace {

const std::vector<double> inputs{0.05, 0.10};

ModelDefinition model(const Initializer& hidden, const Initializer& output, double rate) {
  const auto forward = [=](const Expr& x) {
    // The biases are given and never trained.
    const Expr h = sigmoid(linear(x, 2, "hidden", {.weights = hidden, .has_bias = false}) + 0.35);
    return sigmoid(linear(h, 2, "output", {.weights = output, .has_bias = false}) + 0.60);
  };
  return small_model(2, 2, forward, half_squared_error, half_squared_error, rate);
}

class TwoTargets final : public SmallTutorial {
 public:
  std::string_view name() const override { return "two-targets"; }
  std::string_view summary() const override { return "2-2-2 sigmoid, fixed biases, half squared error, SGD"; }
  std::vector<Figure> figures() const override {
    // The published pair comes from a gradient with two slips; see the README.
    return {{"o1", 0.015914607588423745, 0.015914185034957177, 1e-12},
            {"o2", 0.9840961824613796, 0.9840637123033571, 1e-12},
            {"loss", {}, 3.510854812251261e-05, 1e-12}};
  }

  // The figures are those of the last step's forward pass, before its update.
  Result reproduce(const ReproduceOptions& options) const override {
    return with_precision(options.precision, [&](auto tag) {
      const auto [rate, epochs, batch, every, line] = settings();
      SmallTraining<decltype(tag)> training(written_out(rate), data());
      Result result;
      const auto note = [&, every = every, last = epochs - 1](Training& t) {
        if (t.epoch() % every == 0 || t.epoch() == last) result.losses.push_back(training.loss());
        if (t.epoch() != last) return;
        const auto y = training.predict(inputs);
        result.figures = {{"o1", y[0]}, {"o2", y[1]}, {"loss", result.losses.back()}};
      };
      training.fit(epochs, batch, {on_epoch_begin(note)});
      result.parameters = training.parameters();
      return result;
    });
  }

 protected:
  Settings settings() const override { return {0.5, 10000, 1, 1000, "Step {} loss: {:.9f}\n"}; }
  Data data() const override { return {inputs, {0.01, 0.99}, 1}; }
  // w1 … w8; a column holds the weights into one neuron.
  ModelDefinition written_out(double rate) const override {
    return model(values({0.15, 0.25, 0.20, 0.30}), values({0.40, 0.50, 0.45, 0.55}), rate);
  }
  ModelDefinition random(const TrainOptions&, double rate) const override {
    return model(uniform(0, 1), uniform(0, 1), rate);
  }
  void conclude(const Predict& predict, double, const TrainOptions& options) const override {
    const auto y = predict(inputs, 1);
    options.print(fmt::format("o1 (target 0.01): {:.6f}\no2 (target 0.99): {:.6f}\n", y[0], y[1]));
  }
};

}  // namespace

const Tutorial& two_targets() {
  static const TwoTargets tutorial;
  return tutorial;
}

}  // namespace gradus
