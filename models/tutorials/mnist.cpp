#include "gradus/models/data/mnist.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "gradus/framework/random.hpp"
#include "gradus/models/batch_runner.hpp"
#include "gradus/models/layers.hpp"
#include "gradus/models/optimizers.hpp"
#include "gradus/models/tutorials/all.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"

namespace gradus {

namespace {

constexpr std::int64_t pixels = 784;
constexpr std::int64_t hidden_units = 128;
constexpr std::int64_t classes = 10;
constexpr std::int64_t default_batch = 32;
constexpr std::int64_t default_epochs = 10;
constexpr double default_rate = 0.001;
constexpr std::int64_t oracle_steps = 100;
// Keras's validation_split=0.1: the last tenth, set apart before any shuffling.
constexpr std::int64_t validation_share = 10;

struct Network {
  Graph graph;
  Expr x = graph.input("x", {B, pixels});
  Expr target = graph.input("target", {B, classes});
  Expr logits;
  Expr loss;
  Expr accuracy;

  Network(const Initializer& hidden, const Initializer& output) {
    const Expr h = relu(linear(x, hidden_units, "hidden", {.weights = hidden}));
    logits = linear(h, classes, "output", {.weights = output});
    loss = cross_entropy(logits, target);
    accuracy = mean(sum(target * (logits >= max(logits, {-1}, true)), {-1}));
  }
};

std::shared_ptr<Network> written_out() {
  return std::make_shared<Network>(values(sine_pattern(pixels, hidden_units, 0.05)),
                                   values(sine_pattern(hidden_units, classes, 0.1)));
}

// Pixels over 255, one-hot targets. The digits must outlive it.
template <class T>
RowSource<T> rows_of_digits(const Digits& digits) {
  return [&digits](std::span<const std::uint32_t> rows, std::span<T> x, std::span<T> target) {
    std::ranges::fill(target, T(0));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto* image = &digits.pixels[static_cast<std::size_t>(rows[i]) * pixels];
      std::transform(image, image + pixels, &x[i * pixels],
                     [](std::uint8_t pixel) { return static_cast<T>(pixel) / T(255); });
      target[i * classes + digits.labels[rows[i]]] = 1;
    }
  };
}

std::filesystem::path data_or_error(const std::string& data) {
  const auto found = find_mnist(data);
  if (!found) throw Error("mnist: the data was not found\n" + mnist_help());
  return *found;
}

// "loss: 0.1234 - accuracy: 0.9876".
std::string metrics(const std::vector<double>& means, std::string_view prefix = "") {
  return fmt::format("{0}loss: {1:.4f} - {0}accuracy: {2:.4f}", prefix, means[0], means[1]);
}

template <class T>
class Training {
 public:
  Training(const Network& network, const Mnist& data, const TrainOptions& options)
      : data_(data),
        options_(options),
        store_(options.seed),
        batch_(batch_or(options, default_batch)),
        shuffler_(options.seed, stream_of("shuffle")),
        step_({network.loss, network.accuracy}, adam(network.loss, {.rate = rate_or(options, default_rate)}),
              network.x, network.target, store_),
        evaluate_({network.loss, network.accuracy}, {}, network.x, network.target, store_) {}

  void run() {
    const auto source = rows_of_digits<T>(data_.train);
    const Rows all = rows_in_order(data_.train.count);
    const auto split = all.end() - data_.train.count / validation_share;
    Rows training(all.begin(), split);
    const Rows validation(split, all.end());
    const auto epochs = epochs_or(options_, default_epochs);
    const auto samples = static_cast<std::int64_t>(training.size());
    options_.print(fmt::format("Train on {} samples, validate on {}, {} steps an epoch\n", training.size(),
                               validation.size(), (samples + batch_ - 1) / batch_));
    for (std::int64_t epoch = 1; epoch <= epochs; ++epoch) {
      options_.print(fmt::format("Epoch {}/{}\n", epoch, epochs));
      const auto start = std::chrono::steady_clock::now();
      shuffler_.shuffle(training);
      const auto trained = step_.run(training, batch_, source, progress(samples));
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      if (!std::isfinite(trained[0]))
        throw Error(
            fmt::format("mnist: the loss is {} after epoch {}; try a smaller --rate", trained[0], epoch));
      const auto validated = evaluate_.run(validation, batch_, source);
      options_.print(fmt::format("{}{}/{} - {:.1f}s - {} - {}\n", options_.live ? "\r" : "", samples, samples,
                                 seconds.count(), metrics(trained), metrics(validated, "val_")));
    }
    const auto tested = evaluate_.run(rows_in_order(data_.test.count), batch_, rows_of_digits<T>(data_.test));
    options_.print(fmt::format("Test loss: {:.4f}\nTest accuracy: {:.4f}\n", tested[0], tested[1]));
  }

 private:
  // Every hundredth batch; nothing where lines cannot be overwritten.
  typename BatchRunner<T>::Progress progress(std::int64_t samples) {
    if (!options_.live) return {};
    return [this, samples, calls = 0](std::int64_t done, const std::vector<double>& means) mutable {
      constexpr int shown_every = 100;
      if (calls++ % shown_every == 0)
        options_.print(fmt::format("\r{}/{} - {}", done, samples, metrics(means)));
    };
  }

  const Mnist& data_;
  const TrainOptions& options_;
  Store<T> store_;
  std::int64_t batch_;
  Random shuffler_;
  BatchRunner<T> step_;
  BatchRunner<T> evaluate_;
};

class MnistTutorial final : public Tutorial {
 public:
  std::string_view name() const override { return "mnist"; }
  std::string_view summary() const override {
    return "784-128-10 relu, softmax cross-entropy, Adam, on MNIST";
  }
  std::vector<Figure> figures() const override {
    return {{"loss_after_100_steps", {}, 0.8613928238261932, 1e-9}};
  }
  std::optional<std::string> missing(const std::string& data) const override {
    return find_mnist(data) ? std::nullopt : std::optional(mnist_help());
  }

  Problem problem() const override {
    const auto network = written_out();
    constexpr std::int64_t batch = 8;
    Problem p{
        std::shared_ptr<Graph>(network, &network->graph), network->logits, network->loss, {}, batch, {}};
    p.updates = adam(p.loss);
    p.point = starting_point(*p.graph, 0);
    // Made-up images, so that checks and dumps need no data.
    Random random(1);
    for (std::int64_t i = 0; i < batch * pixels; ++i) p.point["x"].push_back(random.uniform());
    p.point["target"].assign(batch * classes, 0);
    for (std::int64_t i = 0; i < batch; ++i)
      p.point["target"][static_cast<std::size_t>(i * classes) + random.below(classes)] = 1;
    return p;
  }

  // 100 steps in file order; a step's loss is taken before its update.
  Result reproduce(const ReproduceOptions& options) const override {
    const Mnist data = load_mnist(data_or_error(options.data));
    return with_precision(options.precision, [&](auto tag) {
      using T = decltype(tag);
      const auto network = written_out();
      Store<T> store;
      BatchRunner<T> step({network->loss}, adam(network->loss), network->x, network->target, store);
      const auto source = rows_of_digits<T>(data.train);
      const Rows rows = rows_in_order(oracle_steps * default_batch);
      Result result;
      for (std::int64_t i = 0; i < oracle_steps; ++i)
        result.losses.push_back(
            step.run(std::span(rows).subspan(static_cast<std::size_t>(i * default_batch), default_batch),
                     default_batch, source)
                .front());
      result.figures["loss_after_100_steps"] = result.losses.back();
      result.parameters = parameters_of(store, network->graph);
      return result;
    });
  }

  void train(const TrainOptions& options) const override {
    const Mnist data = load_mnist(data_or_error(options.data));
    with_precision(options.precision.value_or(Precision::single), [&](auto tag) {
      using T = decltype(tag);
      const Network network(glorot_uniform(), glorot_uniform());
      Training<T>(network, data, options).run();
    });
  }
};

}  // namespace

const Tutorial& mnist() {
  static const MnistTutorial tutorial;
  return tutorial;
}

}  // namespace gradus
