#include "models/tutorials/bp_network.hpp"

#include <fmt/format.h>

#include <cmath>

#include "gradus/nn/layers.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"

namespace gradus {

namespace {

const Data exclusive_or{{0, 0, 0, 1, 1, 0, 1, 1}, {0, 1, 1, 0}, 4};

struct Sizes {
  std::int64_t inputs = 2;
  std::int64_t hidden = 4;
  std::int64_t outputs = 1;
};

ModelDefinition bp_network_model(const Sizes& sizes, const Initializer& hidden, const Initializer& output,
                                 double rate) {
  const auto forward = [=](const Expr& x) {
    const Expr h = sigmoid(linear(x, sizes.hidden, "hidden", {.weights = hidden}));
    return sigmoid(linear(h, sizes.outputs, "output", {.weights = output}));
  };
  return small_model(sizes.inputs, sizes.outputs, forward, half_squared_error, mse, rate);
}

class BpNetworkTutorial final : public SmallTutorial {
 public:
  std::string_view name() const override { return "bp-network"; }
  std::string_view summary() const override {
    return "n-h-o sigmoid of any size, whole batch, shown on XOR (2-4-1)";
  }
  std::vector<Figure> figures() const override { return {{"final_loss", {}, 0.0002896432065179488, 1e-10}}; }

  std::vector<std::string_view> own_options() const override { return {"init_scale"}; }

  Result reproduce(const ReproduceOptions& options) const override {
    return with_precision(options.precision, [&](auto tag) {
      SmallTraining<decltype(tag)> training(written_out(settings().rate), exclusive_or);
      return losses_before(training);
    });
  }

 protected:
  Settings settings() const override { return {0.5, 10000, 4, 1000, "Step {} loss: {:.6f}\n"}; }
  Data data() const override { return exclusive_or; }
  ModelDefinition written_out(double rate) const override {
    return bp_network_model({}, values(sine_pattern(2, 4, 1)), values(sine_pattern(4, 1, 1)), rate);
  }
  ModelDefinition random(const TrainOptions& options, double rate) const override {
    const double scale = options.init_scale.value_or(1);
    return bp_network_model({}, normal(0, scale), normal(0, scale), rate);
  }
  Facts data_facts() const override { return {{"samples", "the four rows of XOR, as one batch"}}; }
  Facts conclude(const Predict& predict, double loss) const override {
    Facts facts{{"final loss", fmt::format("{:.6f}", loss)}};
    const auto y = predict(exclusive_or.inputs, exclusive_or.count);
    bool solved = true;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double target = exclusive_or.targets[i];
      // NaN counts as wrong.
      solved = solved && std::abs(y[i] - target) < 0.5;
      facts.emplace_back(fmt::format("{:.0f} xor {:.0f} = {:.0f}", exclusive_or.inputs[2 * i],
                                     exclusive_or.inputs[2 * i + 1], target),
                         fmt::format("{:.3f}", y[i]));
    }
    facts.emplace_back("XOR", solved ? "solved" : "not solved");
    return facts;
  }
  std::vector<std::pair<std::string, std::string>> loss_texts() const override {
    return {{"loss", "half squared error, which is descended"},
            {"reported", "mean square error, as printed"}};
  }
  std::vector<Picture> pictures(const Trained& trained) const override {
    const auto y = trained.predict(exclusive_or.inputs, exclusive_or.count);
    Map map{.x = {"first input (no unit)", false, -0.25, 1.25},
            .y = {"second input (no unit)", false, -0.25, 1.25},
            .value = {"network's answer (no unit)", false, 0, 1},
            .columns = 121,
            .rows = 121,
            .values = {},
            .levels = {0.5},
            .spots = {}};
    for (std::size_t i = 0; i < y.size(); ++i)
      map.spots.push_back({exclusive_or.inputs[2 * i], exclusive_or.inputs[2 * i + 1],
                           fmt::format("{:.0f}: {:.3f}", exclusive_or.targets[i], y[i])});
    return {{"decision", "What the network makes of two numbers",
             "Dots: the four rows of XOR, each with its target and the network's answer. The white line is "
             "where it "
             "answers 0.5.",
             filled(map, trained.predict, [](double a, double b) {
               return std::vector{a, b};
             })}};
  }
};

Dataset<double> dataset(const BpNetwork::Matrix& x, const std::vector<BpNetwork::Matrix>& targets) {
  std::vector<std::vector<double>> tensors{{x.begin(), x.end()}};
  for (const auto& target : targets) tensors.emplace_back(target.begin(), target.end());
  return {static_cast<std::int64_t>(x.shape().at(0)), tensors};
}

}  // namespace

BpNetwork::BpNetwork(std::int64_t inputs, std::int64_t hidden, std::int64_t outputs, double init_scale,
                     std::uint64_t seed)
    : trainer_(bp_network_model({inputs, hidden, outputs}, normal(0, init_scale), normal(0, init_scale), 1),
               seed),
      outputs_(outputs) {}

double BpNetwork::train(const Matrix& x, const Matrix& targets, std::int64_t epochs, double rate) {
  const Dataset<double> data = dataset(x, {targets});
  trainer_.store().set("sgd/rate", std::vector{rate});
  trainer_.fit(data, {.epochs = epochs, .batch = data.count(), .shuffle = false, .verbose = false});
  return trainer_.evaluate(data, data.count()).at("reported");
}

BpNetwork::Matrix BpNetwork::predict(const Matrix& x) {
  const Dataset<double> data = dataset(x, {});
  const auto y = trainer_.predict(data, data.count());
  Matrix result = Matrix::from_shape({x.shape().at(0), static_cast<std::size_t>(outputs_)});
  std::ranges::copy(y, result.begin());
  return result;
}

const Tutorial& bp_network() {
  static const BpNetworkTutorial tutorial;
  return tutorial;
}

}  // namespace gradus
