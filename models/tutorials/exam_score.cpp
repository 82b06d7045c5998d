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
constexpr double default_rate = 1;
constexpr std::int64_t default_steps = 1000;
constexpr std::int64_t print_every = 100;

std::shared_ptr<SmallNetwork> network(const Initializer& hidden, const Initializer& output) {
  const auto forward = [&](const Expr& x) {
    const Expr h = sigmoid(linear(x, 3, "hidden", {.weights = hidden, .has_bias = false}));
    return sigmoid(linear(h, 1, "output", {.weights = output, .has_bias = false}));
  };
  return std::make_shared<SmallNetwork>(2, 1, forward, half_squared_error, mse);
}

std::shared_ptr<SmallNetwork> written_out() {
  return network(values({0.2, 0.6, 0.1, 0.8, 0.3, 0.7}), values({0.4, 0.5, 0.9}));
}

class ExamScore final : public Tutorial {
 public:
  std::string_view name() const override { return "exam-score"; }
  std::string_view summary() const override { return "2-3-1 sigmoid without biases, full batch"; }
  std::vector<Figure> figures() const override {
    return {{"forward_2h_9h", 0.85, 0.8567467964249273, 1e-12},
            {"final_loss", {}, 0.00016106055809278412, 1e-12},
            {"predict_4h_8h", {}, 0.9097128984479929, 1e-12}};
  }

  Problem problem() const override { return problem_of(written_out(), exams, default_rate); }

  Result reproduce(const ReproduceOptions& options) const override {
    return with_precision(options.precision, [](auto tag) {
      using T = decltype(tag);
      const auto network = written_out();
      SgdTraining<T> training(*network, exams, default_rate, Store<T>());
      Result result;
      // The tutorial's first forward pass takes the hours as they are.
      result.figures["forward_2h_9h"] = training.predict({2, 9}, 1).front();
      for (std::int64_t step = 0; step < default_steps; ++step) {
        if (step % print_every == 0) result.losses.push_back(training.loss());
        training.epoch(exams.count);
      }
      result.figures["final_loss"] = training.loss();
      result.figures["predict_4h_8h"] = training.predict(asked, 1).front();
      result.parameters = training.parameters();
      return result;
    });
  }

  void train(const TrainOptions& options) const override {
    const auto steps = epochs_or(options, default_steps);
    const auto batch = batch_or(options, exams.count);
    const double rate = rate_or(options, default_rate);
    with_precision(options.precision.value_or(Precision::double_), [&](auto tag) {
      using T = decltype(tag);
      const auto random = network(normal(), normal());
      SgdTraining<T> training(*random, exams, rate, Store<T>(options.seed));
      run_epochs(training, steps, batch, print_every, [&](std::int64_t step) {
        options.print(fmt::format("Step {} loss: {:.8f}\n", step, training.loss()));
      });
      const auto scores = training.predict(exams.inputs, exams.count);
      options.print(fmt::format("Scores 92, 86, 89 predicted as {:.2f}, {:.2f}, {:.2f}\n", 100 * scores[0],
                                100 * scores[1], 100 * scores[2]));
      options.print(
          fmt::format("4 h studied, 8 h slept: {:.2f}\n", 100 * training.predict(asked, 1).front()));
    });
  }
};

}  // namespace

const Tutorial& exam_score() {
  static const ExamScore tutorial;
  return tutorial;
}

}  // namespace gradus
