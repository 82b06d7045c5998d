#include "models/tutorials/two_targets.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/nn/layers.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/losses.hpp"
#include "models/tutorials/small_network.hpp"
#include "models/tutorials/two_slips.hpp"

namespace gradus {

namespace {

const std::vector<double> inputs{0.05, 0.10};

ModelDefinition two_targets_model(const Initializer& hidden, const Initializer& output, double rate) {
  const auto forward = [=](const Expr& x) {
    // The biases are given and never trained.
    const Expr h = sigmoid(linear(x, 2, "hidden", {.weights = hidden, .has_bias = false}) + 0.35);
    return sigmoid(linear(h, 2, "output", {.weights = output, .has_bias = false}) + 0.60);
  };
  return small_model(2, 2, forward, half_squared_error, half_squared_error, rate);
}

// Places in a row of `count` that are evenly spread on a logarithmic axis.
std::vector<std::size_t> log_spaced(std::size_t count, double each) {
  std::vector<std::size_t> places;
  for (double at = 1; at < static_cast<double>(count); at = std::max(at + 1, at * each))
    places.push_back(static_cast<std::size_t>(at) - 1);
  if (count > 0) places.push_back(count - 1);
  return places;
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
    return two_targets_model(values({0.15, 0.25, 0.20, 0.30}), values({0.40, 0.50, 0.45, 0.55}), rate);
  }
  ModelDefinition random(const TrainOptions&, double rate) const override {
    return two_targets_model(uniform(0, 1), uniform(0, 1), rate);
  }
  Facts data_facts() const override {
    return {{"samples", "one: inputs 0.05 and 0.10, targets 0.01 and 0.99"}};
  }
  Facts conclude(const Predict& predict, double) const override {
    const auto y = predict(inputs, 1);
    return {{"o1 (target 0.01)", fmt::format("{:.6f}", y[0])},
            {"o2 (target 0.99)", fmt::format("{:.6f}", y[1])}};
  }
  // From the tutorial's own starting weights: this is about its arithmetic, not about this run's seed.
  std::vector<std::pair<std::string, std::string>> loss_texts() const override {
    return {{"loss", "half squared error"}};
  }
  std::vector<Picture> pictures(const Trained& trained) const override {
    std::vector<double> right;
    SmallTraining<double> training(written_out(settings().rate), data());
    training.fit(trained.epochs, 1, {on_epoch_end([&](Training& t) { right.push_back(t.loss()); })});
    std::vector<double> own, in_earnest, worse;
    SlipWeights w = slip_start;
    for (std::int64_t step = 0; step < trained.epochs; ++step) {
      own.push_back(slip_forward(w, {true, true}).loss());
      in_earnest.push_back(slip_forward(w, {}).loss());
      const SlipWeights gradient = slip_gradient(w, {true, true});
      for (std::size_t i = 0; i < w.size(); ++i) w[i] -= settings().rate * gradient[i];
    }
    const Axis steps{"step", true}, loss{"half squared error (no unit)", true};
    const auto series = [&](const std::string& name, const std::vector<double>& values, Series::Style style,
                            bool broad) {
      Series s{name, {}, {}, style, broad};
      for (const std::size_t i : log_spaced(values.size(), style == Series::Style::marks ? 1.3 : 1.03)) {
        s.x.push_back(static_cast<double>(i + 1));
        s.y.push_back(values[i]);
      }
      return s;
    };
    for (std::size_t i = 0; i < right.size(); ++i) worse.push_back(in_earnest[i] / right[i]);
    constexpr auto line = Series::Style::line;
    const Chart losses{
        steps,
        loss,
        {series("right gradient", right, line, true),
         series("slipped program, by its own loss", own, Series::Style::marks, false),
         series("slipped program's weights in the network described", in_earnest, line, false)}};
    Chart cost;
    cost.x = steps;
    cost.y.label = "loss over the right gradient's loss (no unit)";
    cost.series = {series("ratio", worse, line, false)};
    return {
        {"slips", "The tutorial's slipped gradient against the right one",
         "From the tutorial's starting weights. The slipped program watches a loss that falls as it should: "
         "that is why nobody noticed. Put into the network that the tutorial describes, its weights are "
         "worse.",
         losses},
        {"slips-cost", "What the two slips cost",
         "The loss of the slipped program's weights in the network described, over the loss of the right "
         "gradient's weights.",
         cost}};
  }
};

}  // namespace

const Tutorial& two_targets() {
  static const TwoTargets tutorial;
  return tutorial;
}

}  // namespace gradus
