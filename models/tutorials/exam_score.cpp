#include <fmt/format.h>

#include "gradus/models/layers.hpp"
#include "gradus/models/tutorials/all.hpp"
#include "gradus/models/tutorials/small_network.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"

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

ModelDefinition model(const Initializer& hidden, const Initializer& output, double rate) {
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
    return model(values({0.2, 0.6, 0.1, 0.8, 0.3, 0.7}), values({0.4, 0.5, 0.9}), rate);
  }
  ModelDefinition random(const TrainOptions&, double rate) const override {
    return model(normal(), normal(), rate);
  }
  void conclude(const Predict& predict, double, const TrainOptions& options) const override {
    const auto scores = predict(exams.inputs, exams.count);
    options.print(fmt::format("Scores 92, 86, 89 predicted as {:.2f}, {:.2f}, {:.2f}\n", 100 * scores[0],
                              100 * scores[1], 100 * scores[2]));
    options.print(fmt::format("4 h studied, 8 h slept: {:.2f}\n", 100 * predict(asked, 1).front()));
  }
};

}  // namespace

const Tutorial& exam_score() {
  static const ExamScore tutorial;
  return tutorial;
}

}  // namespace gradus
