#include "models/tutorials/mnist.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>

#include "gradus/base/random.hpp"
#include "gradus/data/mnist.hpp"
#include "gradus/data/option_error.hpp"
#include "gradus/nn/layers.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"
#include "gradus/train/training.hpp"
#include "models/app/progress/progress.hpp"
#include "models/tutorials/mnist_pictures.hpp"

namespace gradus {

namespace {

constexpr std::int64_t pixels = 784;
constexpr std::int64_t hidden_size = 128;
constexpr std::int64_t classes = 10;
constexpr std::int64_t default_batch = 32;
constexpr std::int64_t default_epochs = 10;
constexpr double default_rate = 0.001;
constexpr double validation_split = 0.1;
constexpr std::int64_t oracle_steps = 100;

ModelDefinition mnist_model(const Initializer& hidden, const Initializer& output,
                            double rate = default_rate) {
  const auto network = [=](const std::vector<Expr>& in, Mode&) {
    const Expr h = relu(linear(in.front(), hidden_size, "hidden", {.weights = hidden}));
    return linear(h, classes, "output", {.weights = output});
  };
  return {.inputs = {{"x", {B, pixels}}},
          .target = {"target", {B, classes}},
          .network = network,
          .loss = cross_entropy,
          .metrics = {accuracy()},
          .optimizer = adam({.rate = rate})};
}

ModelDefinition written_out() {
  return mnist_model(values(sine_pattern(pixels, hidden_size, 0.05)),
                     values(sine_pattern(hidden_size, classes, 0.1)));
}

// Pixels over 255, one-hot targets: the first `count` images. The digits must outlive it.
template <class T> Dataset<T> dataset(const Digits& digits, std::int64_t count) {
  return {count,
          [&digits](std::span<const std::uint32_t> rows, std::span<const std::span<T>> into) {
            const auto image_of = [&](std::uint32_t row) {
              return &digits.pixels[static_cast<std::size_t>(row) * pixels];
            };
            for (std::size_t i = 0; i < rows.size(); ++i) {
              const auto* image = image_of(rows[i]);
              // The images are too many for the caches, and come in any order.
              if (i + 1 < rows.size())
                for (std::int64_t p = 0; p < pixels; p += 64) __builtin_prefetch(image_of(rows[i + 1]) + p);
              std::transform(image, image + pixels, &into[0][i * pixels],
                             [](std::uint8_t pixel) { return static_cast<T>(pixel) / T(255); });
            }
            if (into.size() < 2) return;
            std::ranges::fill(into[1], T(0));
            for (std::size_t i = 0; i < rows.size(); ++i) into[1][i * classes + digits.labels[rows[i]]] = 1;
          },
          fingerprint(std::as_bytes(std::span(digits.labels)),
                      fingerprint(std::as_bytes(std::span(digits.pixels))))};
}

template <class T> Dataset<T> dataset(const Digits& digits) { return dataset<T>(digits, digits.count); }

std::filesystem::path data_or_error(const std::string& data) {
  const auto found = find_mnist(data);
  if (!found) throw OptionError({"data", "fetch=mnist"}, "mnist: the data was not found\n" + mnist_help());
  return *found;
}

Mnist load_told(const std::filesystem::path& folder) {
  return with_progress("reading " + folder.string(), [&] { return load_mnist(folder); });
}

// The loss of every step.
class StepLosses final : public Callback {
 public:
  explicit StepLosses(std::vector<double>& losses) : losses_(losses) {}
  bool wants_steps() const override { return true; }
  void on_step_end(Training& training) override { losses_.push_back(training.loss()); }

 private:
  std::vector<double>& losses_;
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
  std::vector<std::string_view> own_options() const override { return {"data"}; }
  std::optional<std::string> missing(const std::string& data) const override {
    return find_mnist(data) ? std::nullopt : std::optional(mnist_help());
  }

  Problem problem() const override {
    constexpr std::int64_t batch = 8;
    Problem p = problem_of(written_out(), batch);
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
    const Mnist data = load_mnist(data_or_error(options.data));  // told of with the rest
    return with_precision(options.precision, [&](auto tag) {
      using T = decltype(tag);
      Trainer<T> trainer(written_out());
      Result result;
      trainer.fit(dataset<T>(data.train, oracle_steps * default_batch),
                  {.batch = default_batch,
                   .shuffle = false,
                   .callbacks = {std::make_shared<StepLosses>(result.losses)},
                   .verbose = false});
      result.figures["loss_after_100_steps"] = result.losses.back();
      result.parameters = parameters_of(trainer.store(), trainer.graph(Mode::training).graph);
      return result;
    });
  }

  RunReport train(const TrainOptions& options) const override {
    const auto epochs = epochs_or(options, default_epochs);
    const auto batch = batch_or(options, default_batch);
    const double rate = rate_or(options, default_rate);
    const Precision precision = options.precision.value_or(Precision::single);
    const std::filesystem::path folder = data_or_error(options.data);
    const Mnist data = load_told(folder);
    RunReport report = begin_report(*this, {epochs, batch, rate, precision, "Adam"}, options);
    report.data = {{"training", fmt::format("{} images, the last tenth for validation", data.train.count)},
                   {"test", fmt::format("{} images", data.test.count)},
                   {"from", folder.string()}};
    if (!options.data.empty()) {
      report.settings.emplace_back("data", options.data);
      report.options.emplace_back("data", options.data);
    }
    with_precision(precision, [&](auto tag) {
      using T = decltype(tag);
      Trainer<T> trainer(mnist_model(glorot_uniform(), glorot_uniform(), rate), options.seed);
      options.print(trainer.summary());
      TrainingFiles files = options.files;
      files.images = [](Training& training) {
        return std::vector{first_layer_image(training.weights().at("hidden/W"))};
      };
      const auto start = std::chrono::steady_clock::now();
      report.history =
          run_training(trainer, dataset<T>(data.train),
                       {.epochs = epochs,
                        .batch = batch,
                        .validation_split = validation_split,
                        .callbacks = {progress_bar({.print = options.print, .live = options.live})},
                        .verbose = false,
                        .threads = options.threads,
                        .reproducible = options.reproducible},
                       files);
      report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      const Scores tested = trainer.evaluate(dataset<T>(data.test), batch);
      report.figures = {{"Test loss", fmt::format("{:.4f}", tested.at("loss"))},
                        {"Test accuracy", fmt::format("{:.4f}", tested.at("accuracy"))}};
      for (const auto& [what, value] : report.figures) options.print(fmt::format("{}: {}\n", what, value));
      report.summary = trainer.summary();
      if (!options.pictures) return;
      report.pictures = curves(
          report.history, {{"loss", "cross-entropy (nats)"}, {"accuracy", "accuracy (share of images)"}});
      const auto logits = trainer.predict(dataset<T>(data.test));
      const auto weights = trainer.store().values("hidden/W");
      std::ranges::move(
          mnist_pictures(data.test, {logits.begin(), logits.end()}, {weights.begin(), weights.end()}),
          std::back_inserter(report.pictures));
      report.graph = training_dot(trainer.graph(Mode::training));
    });
    return report;
  }
};

}  // namespace

const Tutorial& mnist() {
  static const MnistTutorial tutorial;
  return tutorial;
}

}  // namespace gradus
