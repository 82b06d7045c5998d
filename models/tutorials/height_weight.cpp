#include "models/tutorials/height_weight.hpp"

#include <fmt/format.h>

#include "gradus/nn/layers.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"
#include "models/tutorials/small_network.hpp"

namespace gradus {

namespace {

// The constants that the tutorial subtracts to centre weights (lb) and heights (in).
constexpr double mean_weight = 135;
constexpr double mean_height = 66;
const std::vector<double> emily{-7, -3};
const std::vector<double> frank{20, 2};

ModelDefinition height_weight_model(const Initializer& hidden, const Initializer& output,
                                    const Initializer& biases, double rate) {
  const auto forward = [=](const Expr& x) {
    const Expr h = sigmoid(linear(x, 2, "hidden", {.weights = hidden, .bias = biases}));
    return sigmoid(linear(h, 1, "output", {.weights = output, .bias = biases}));
  };
  return small_model(2, 1, forward, mse, mse, rate);
}

// The tutorial's two worked examples.
template <class T> void worked_examples(Result& result) {
  Graph graph;
  const Expr y = graph.input("y", {B, 1}), target = graph.input("target", {B, 1});
  Store<T> store;
  auto example = compile<T>({mse(y, target)}, {}, 4, store);
  example.feed(y, {0, 0, 0, 0});
  example.feed(target, {1, 0, 0, 1});
  example.run();
  result.figures["mse_example"] = example.output().item();

  Trainer<T> ones(height_weight_model(constant(1), constant(1), zeros(), 0));
  ModelGraph& built = ones.graph(Mode::training);
  auto gradient = compile<T>({grad(built.loss, built.graph.find("hidden/W"))}, {}, 1, ones.store());
  gradient.feed("x", {-2, -1});
  gradient.feed("target", {1});
  gradient.run();
  result.figures["dL_dw1"] = gradient.output().values[0];
}

class HeightWeight final : public SmallTutorial {
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

  Result reproduce(const ReproduceOptions& options) const override {
    return with_precision(options.precision, [&](auto tag) {
      using T = decltype(tag);
      const auto [rate, epochs, batch, every, line] = settings();
      SmallTraining<T> training(written_out(rate), data());
      Result result;
      worked_examples<T>(result);
      const auto note = [&, every = every](Training& t) {
        if (t.epoch() % every == 0) result.losses.push_back(training.loss());
      };
      training.fit(epochs, batch, {on_epoch_end(note)});
      result.figures["final_loss"] = result.losses.back();
      result.figures["emily"] = training.predict(emily).front();
      result.figures["frank"] = training.predict(frank).front();
      result.parameters = training.parameters();
      return result;
    });
  }

 protected:
  Settings settings() const override { return {0.1, 1000, 1, 10, "Epoch {} loss: {:.3f}\n"}; }
  // Alice, Bob, Charlie, Diana: weight − 135 lb, height − 66 in; 1 female, 0 male.
  Data data() const override { return {{-2, -1, 25, 6, 17, 4, -15, -6}, {1, 0, 0, 1}, 4}; }
  ModelDefinition written_out(double rate) const override {
    return height_weight_model(values({0.1, 0.3, 0.2, 0.4}), values({0.5, 0.6}), zeros(), rate);
  }
  ModelDefinition random(const TrainOptions&, double rate) const override {
    return height_weight_model(normal(), normal(), normal(), rate);
  }
  Facts data_facts() const override {
    return {{"samples", "Alice, Bob, Charlie and Diana: weight less 135 lb, height less 66 in"},
            {"targets", "1 female, 0 male"}};
  }
  Facts conclude(const Predict& predict, double) const override {
    return {{"Emily (128 lb, 63 in)", fmt::format("{:.3f}", predict(emily, 1).front())},
            {"Frank (155 lb, 68 in)", fmt::format("{:.3f}", predict(frank, 1).front())}};
  }
  std::vector<Picture> pictures(const Trained& trained) const override {
    const auto at = [&](const std::vector<double>& person, const std::string& name, bool known) {
      return Spot{person[0] + mean_weight, person[1] + mean_height,
                  fmt::format("{} {:.3f}", name, trained.predict(person, 1).front()), known};
    };
    Map map{.x = {"weight (lb)", false, 110, 170},
            .y = {"height (in)", false, 58, 74},
            .value = {"network's answer: 1 female, 0 male", false, 0, 1},
            .columns = 121,
            .rows = 97,
            .values = {},
            .levels = {0.5},
            .spots = {at({-2, -1}, "Alice", true), at({25, 6}, "Bob", true), at({17, 4}, "Charlie", true),
                      at({-15, -6}, "Diana", true), at(emily, "Emily", false), at(frank, "Frank", false)}};
    return {
        {"decision", "Female or male, by weight and height",
         "Dots: the four people of the training. Triangles: Emily and Frank, whom the network never saw. The "
         "white line is where it answers 0.5.",
         filled(map, trained.predict, [](double x, double y) {
           return std::vector{x - mean_weight, y - mean_height};
         })}};
  }
  std::vector<std::pair<std::string, std::string>> loss_texts() const override {
    return {{"loss", "mean square error"}};
  }
};

}  // namespace

const Tutorial& height_weight() {
  static const HeightWeight tutorial;
  return tutorial;
}

}  // namespace gradus
