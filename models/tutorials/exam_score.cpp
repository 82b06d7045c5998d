#include "models/tutorials/exam_score.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/nn/layers.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"
#include "models/tutorials/small_network.hpp"

namespace gradus {

namespace {

// Hours studied over 3, hours slept over 9 (the columns' maxima), scores over 100.
constexpr double most_studied = 3;
constexpr double most_slept = 9;
const Data exams{
    {2 / most_studied, 9 / most_slept, 1 / most_studied, 5 / most_slept, 3 / most_studied, 6 / most_slept},
    {0.92, 0.86, 0.89},
    3};
const std::vector<double> asked{4 / most_studied, 8 / most_slept};

ModelDefinition exam_score_model(const Initializer& hidden, const Initializer& output, double rate) {
  const auto forward = [=](const Expr& x) {
    const Expr h = sigmoid(linear(x, 3, "hidden", {.weights = hidden, .has_bias = false}));
    return sigmoid(linear(h, 1, "output", {.weights = output, .has_bias = false}));
  };
  return small_model(2, 1, forward, half_squared_error, mse, rate);
}

class ExamScore final : public SmallTutorial {
 public:
  std::string_view name() const override { return "exam-score"; }
  std::string_view summary() const override { return "2-3-1 sigmoid without biases, full batch"; }
  std::vector<Figure> figures() const override {
    return {{"forward_2h_9h", 0.85, 0.8567467964249273, 1e-12},
            {"final_loss", {}, 0.00016106055809278412, 1e-12},
            {"predict_4h_8h", {}, 0.9097128984479929, 1e-12}};
  }

  Result reproduce(const ReproduceOptions& options) const override {
    return with_precision(options.precision, [&](auto tag) {
      SmallTraining<decltype(tag)> training(written_out(settings().rate), exams);
      // The tutorial's first forward pass takes the hours as they are.
      const double first = training.predict({2, 9}).front();
      Result result = losses_before(training);
      result.figures["forward_2h_9h"] = first;
      result.figures["predict_4h_8h"] = training.predict(asked).front();
      return result;
    });
  }

 protected:
  Settings settings() const override { return {1, 1000, exams.count, 100, "Step {} loss: {:.8f}\n"}; }
  Data data() const override { return exams; }
  ModelDefinition written_out(double rate) const override {
    return exam_score_model(values({0.2, 0.6, 0.1, 0.8, 0.3, 0.7}), values({0.4, 0.5, 0.9}), rate);
  }
  ModelDefinition random(const TrainOptions&, double rate) const override {
    return exam_score_model(normal(), normal(), rate);
  }
  Facts data_facts() const override {
    return {{"samples", "three students: hours studied over 3, hours slept over 9"},
            {"targets", "their scores, 92, 86 and 89, over 100"}};
  }
  Facts conclude(const Predict& predict, double) const override {
    const auto scores = predict(exams.inputs, exams.count);
    return {{"Scores 92, 86, 89 predicted as",
             fmt::format("{:.2f}, {:.2f}, {:.2f}", 100 * scores[0], 100 * scores[1], 100 * scores[2])},
            {"4 h studied, 8 h slept", fmt::format("{:.2f}", 100 * predict(asked, 1).front())}};
  }
  std::vector<std::pair<std::string, std::string>> loss_texts() const override {
    return {{"loss", "half squared error, which is descended"},
            {"reported", "mean square error, as printed"}};
  }
  std::vector<Picture> pictures(const Trained& trained) const override {
    const auto scores = trained.predict(exams.inputs, exams.count);
    Map map{.x = {"studied (hours)", false, 0, 5},
            .y = {"slept (hours)", false, 4, 10},
            .value = {"predicted score (points of 100)"},
            .columns = 101,
            .rows = 97,
            .values = {},
            .levels = {85, 90},
            .spots = {}};
    for (std::size_t i = 0; i < scores.size(); ++i)
      map.spots.push_back(
          {exams.inputs[2 * i] * most_studied, exams.inputs[2 * i + 1] * most_slept,
           fmt::format("{:.0f} points, predicted {:.1f}", 100 * exams.targets[i], 100 * scores[i])});
    map.spots.push_back({4, 8, fmt::format("asked: {:.1f}", 100 * trained.predict(asked, 1).front()), false});
    map = filled(
        map, trained.predict,
        [](double x, double y) {
          return std::vector{x / most_studied, y / most_slept};
        },
        100);
    map.value.from = std::floor(std::ranges::min(map.values));
    map.value.to = std::ceil(std::ranges::max(map.values));
    return {{"score", "Predicted score over hours studied and slept",
             "Dots: the three students with their scores. Triangle: the hours that the tutorial asks about. "
             "White lines: 85 points (solid) and 90 (dashed).",
             map}};
  }
};

}  // namespace

const Tutorial& exam_score() {
  static const ExamScore tutorial;
  return tutorial;
}

}  // namespace gradus
