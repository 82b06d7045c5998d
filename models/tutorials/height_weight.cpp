#include <fmt/format.h>

#include "gradus/models/layers.hpp"
#include "gradus/models/tutorials/all.hpp"
#include "gradus/models/tutorials/small_network.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"

namespace gradus {

namespace {

// Alice, Bob, Charlie, Diana: weight − 135 lb, height − 66 in; 1 female, 0 male.
const Data people{{-2, -1, 25, 6, 17, 4, -15, -6}, {1, 0, 0, 1}, 4};
const std::vector<double> emily{-7, -3};
const std::vector<double> frank{20, 2};
constexpr double default_rate = 0.1;
constexpr std::int64_t default_epochs = 1000;
constexpr std::int64_t print_every = 10;

std::shared_ptr<SmallNetwork> network(const Initializer& hidden, const Initializer& output,
                                      const Initializer& biases) {
  const auto forward = [&](const Expr& x) {
    const Expr h = sigmoid(linear(x, 2, "hidden", {.weights = hidden, .bias = biases}));
    return sigmoid(linear(h, 1, "output", {.weights = output, .bias = biases}));
  };
  return std::make_shared<SmallNetwork>(2, 1, forward, mse, mse);
}

std::shared_ptr<SmallNetwork> written_out() {
  return network(values({0.1, 0.3, 0.2, 0.4}), values({0.5, 0.6}), zeros());
}

// The tutorial's two worked examples.
template <class T>
void worked_examples(Result& result) {
  Graph graph;
  const Expr y = graph.input("y", {B, 1}), target = graph.input("target", {B, 1});
  Store<T> store;
  auto example = compile<T>({mse(y, target)}, {}, 4, store);
  example.feed(y, {0, 0, 0, 0});
  example.feed(target, {1, 0, 0, 1});
  example.run();
  result.figures["mse_example"] = example.output().item();

  const auto ones = network(constant(1), constant(1), zeros());
  auto gradient = compile<T>({grad(ones->loss, ones->graph.find("hidden/W"))}, {}, 1, store);
  gradient.feed(ones->x, {-2, -1});
  gradient.feed(ones->target, {1});
  gradient.run();
  result.figures["dL_dw1"] = gradient.output().values[0];
}

class HeightWeight final : public Tutorial {
 public:
  std::string_view name() const override { return "height-weight"; }
  std::string_view summary() const override { return "2-2-1 sigmoid, mse, SGD one sample at a time"; }
  std::vector<Figure> figures() const override {
    return {{"mse_example", 0.5, 0.5, 1e-15},
            {"dL_dw1", 0.0214, 0.021469535265811107, 1e-15},
            {"final_loss", {}, 0.001524517918467611, 1e-12},
            {"emily", 0.951, 0.9675211209379232, 1e-12},
            {"frank", 0.039, 0.039044407797304025, 1e-12}};
  }

  Problem problem() const override { return problem_of(written_out(), people, default_rate); }

  Result reproduce(const ReproduceOptions& options) const override {
    return with_precision(options.precision, [](auto tag) {
      using T = decltype(tag);
      const auto network = written_out();
      SgdTraining<T> training(*network, people, default_rate, Store<T>());
      Result result;
      worked_examples<T>(result);
      run_epochs(training, default_epochs, 1, print_every,
                 [&](std::int64_t) { result.losses.push_back(training.loss()); });
      result.figures["final_loss"] = result.losses.back();
      result.figures["emily"] = training.predict(emily, 1).front();
      result.figures["frank"] = training.predict(frank, 1).front();
      result.parameters = training.parameters();
      return result;
    });
  }

  void train(const TrainOptions& options) const override {
    const auto epochs = epochs_or(options, default_epochs);
    const auto batch = batch_or(options, 1);
    const double rate = rate_or(options, default_rate);
    with_precision(options.precision.value_or(Precision::double_), [&](auto tag) {
      using T = decltype(tag);
      const auto random = network(normal(), normal(), normal());
      SgdTraining<T> training(*random, people, rate, Store<T>(options.seed));
      run_epochs(training, epochs, batch, print_every, [&](std::int64_t epoch) {
        options.print(fmt::format("Epoch {} loss: {:.3f}\n", epoch, training.loss()));
      });
      options.print(fmt::format("Emily (128 lb, 63 in): {:.3f}\n", training.predict(emily, 1).front()));
      options.print(fmt::format("Frank (155 lb, 68 in): {:.3f}\n", training.predict(frank, 1).front()));
    });
  }
};

}  // namespace

const Tutorial& height_weight() {
  static const HeightWeight tutorial;
  return tutorial;
}

}  // namespace gradus
