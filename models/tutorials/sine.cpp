#include "models/tutorials/sine.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "gradus/nn/layers.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/losses.hpp"
#include "models/tutorials/small_network.hpp"

namespace gradus {

namespace {

constexpr std::int64_t points = 100;
constexpr std::int64_t hidden_units = 25;
constexpr double gentle_rate = 0.05;

std::vector<double> magnitudes(std::vector<double> values) {
  for (double& v : values) v = std::abs(v);
  return values;
}

Expr half_mse(Arg prediction, Arg target) { return 0.5 * mse(prediction, target); }

ModelDefinition sine_model(const Initializer& hidden, const Initializer& output, double rate) {
  const auto forward = [=](const Expr& x) {
    const Expr h = sigmoid(linear(x, hidden_units, "hidden", {.weights = hidden}));
    return linear(h, 1, "output", {.weights = output});
  };
  return small_model(1, 1, forward, half_mse, mse, rate);
}

Data samples() {
  Data data{{}, {}, points};
  for (std::int64_t i = 0; i < points; ++i) {
    const double x = 0.01 * static_cast<double>(i);
    data.inputs.push_back(x);
    data.targets.push_back(20 * std::sin(2 * std::numbers::pi * x));
  }
  return data;
}

double largest_deviation(const std::vector<double>& fitted) {
  const Data all = samples();
  double largest = 0;
  for (std::size_t i = 0; i < fitted.size(); ++i)
    largest = std::max(largest, std::abs(fitted[i] - all.targets[i]));
  return largest;
}

class Sine final : public SmallTutorial {
 public:
  std::string_view name() const override { return "sine"; }
  std::string_view summary() const override {
    return "1-25-1, sigmoid then linear, fits 20 sin 2πx, full batch";
  }
  std::vector<Figure> figures() const override {
    // At a rate of 0.3 the descent passes so near an instability that rounding to single precision, of the
    // activations or of the weights alone, ends in another valley: NumPy in float32 gets 0.2322, and 0.2324
    // to 0.2334 with the samples in other orders; kernels without fused multiply-adds stay in double's, at
    // 0.3456.
    return {{"final_loss", {}, 0.35843195514081044, 1e-4, true, 0.05, 0.2322},
            {"gentle_final_loss", {}, 0.9082392616791357, 1e-10, true, 0.05}};
  }

  // A rate of 0.3 amplifies rounding; the same with 0.05 is what can be compared digit for digit. Its losses
  // follow those of 0.3 in the result.
  Result reproduce(const ReproduceOptions& options) const override {
    return with_precision(options.precision, [&](auto tag) {
      const auto fit = [&](double rate) {
        SmallTraining<decltype(tag)> training(written_out(rate), data());
        return losses_before(training);
      };
      Result result = fit(settings().rate);
      const Result gentle = fit(gentle_rate);
      result.losses.insert(result.losses.end(), gentle.losses.begin(), gentle.losses.end());
      result.figures["gentle_final_loss"] = gentle.figures.at("final_loss");
      return result;
    });
  }

 protected:
  Settings settings() const override { return {0.3, 4000, points, 100, "Step {} mean square: {:.6f}\n"}; }
  Data data() const override { return samples(); }
  ModelDefinition written_out(double rate) const override {
    return sine_model(values(magnitudes(sine_pattern(1, hidden_units, 1))),
                      values(magnitudes(sine_pattern(hidden_units, 1, 1))), rate);
  }
  ModelDefinition random(const TrainOptions&, double rate) const override {
    return sine_model(uniform(0, 1), uniform(0, 1), rate);
  }
  Facts data_facts() const override {
    return {{"samples", "x = 0, 0.01 … 0.99, y = 20 sin 2πx, as one batch"}};
  }
  std::vector<std::pair<std::string, std::string>> loss_texts() const override {
    return {{"loss", "half the mean square error, which is descended"},
            {"reported", "mean square error, as printed"}};
  }
  std::string loss_unit() const override { return "unit of y, squared"; }
  Facts conclude(const Predict& predict, double) const override {
    const Data all = data();
    const auto fitted = predict(all.inputs, points);
    Facts facts;
    constexpr std::size_t shown_every = 10;
    for (std::size_t i = 0; i < fitted.size(); i += shown_every)
      facts.emplace_back(
          fmt::format("fit at {:.2f}, where 20 sin 2πx is {:>7.3f}", all.inputs[i], all.targets[i]),
          fmt::format("{:>7.3f}", fitted[i]));
    facts.emplace_back("largest deviation of the fit", fmt::format("{:.3f}", largest_deviation(fitted)));
    return facts;
  }
  std::vector<Picture> pictures(const Trained& trained) const override {
    const Data all = data();
    const auto fitted = trained.predict(all.inputs, points);
    const Axis x{"x (no unit)", false, 0, 1}, y{"y (no unit)"};
    Chart fit{
        x,
        y,
        {{"data: 20 sin 2πx", all.inputs, all.targets, Series::Style::marks}, {"fit", all.inputs, fitted}}};
    fit.note = fmt::format("largest deviation of the fit: {:.3f}", largest_deviation(fitted));
    Chart course{x, y, {{"data", all.inputs, all.targets, Series::Style::marks}}};
    for (const Fit& at : trained.fits)
      course.series.push_back({fmt::format("after {} epochs", at.epochs), all.inputs, at.outputs});
    return {
        {"fit", "The fit over the data", "The line is the network, the marks are what it was shown.", fit},
        {"fit-course", "How the fit came about",
         "The network before its training, on the way, and at its end.", course}};
  }
};

}  // namespace

const Tutorial& sine() {
  static const Sine tutorial;
  return tutorial;
}

}  // namespace gradus
