#include "work.hpp"

#include <fmt/format.h>

#include "gradus/base/random.hpp"
#include "gradus/nn/layers.hpp"
#include "gradus/ops/activation.hpp"
#include "gradus/ops/losses.hpp"
#include "gradus/optim/optimizers.hpp"
#include "models/tutorials/all.hpp"

namespace gradus::benchmarks {

namespace {

// More than fits a second-level cache, since real images come from memory; two batches of the largest size.
constexpr std::size_t made_up_images = 2048;
// As many pixels of an MNIST image are black.
constexpr double black = 0.8;

template <class T> Samples<T> make_images() {
  Samples<T> samples{std::vector<T>(made_up_images * mnist_in), std::vector<T>(made_up_images * mnist_out),
                     made_up_images};
  Random random(1);
  for (T& pixel : samples.inputs)
    if (random.uniform() >= black) pixel = static_cast<T>(random.uniform());
  for (std::size_t i = 0; i < made_up_images; ++i)
    samples.targets[i * mnist_out + random.below(mnist_out)] = 1;
  return samples;
}

template <class T> Samples<T> own_samples(std::string_view tutorial) {
  const Problem problem = find_tutorial(tutorial).problem();
  const auto& x = problem.point.at("x");
  const auto& target = problem.point.at("target");
  return {{x.begin(), x.end()}, {target.begin(), target.end()}, static_cast<std::size_t>(problem.batch)};
}

Problem sigmoid_problem() {
  const auto graph = std::make_shared<Graph>();
  const Expr x = graph->input("x", {B, mnist_in});
  const Expr target = graph->input("target", {B, mnist_out});
  const Expr h = sigmoid(
      linear(x, mnist_hidden, "hidden", {.weights = values(sine_pattern(mnist_in, mnist_hidden, 0.05))}));
  const Expr o = sigmoid(
      linear(h, mnist_out, "output", {.weights = values(sine_pattern(mnist_hidden, mnist_out, 0.1))}));
  const Expr loss = half_squared_error(o, target);
  return {graph, o, loss, sgd(loss, {.rate = mnist_sgd_rate}), 1, {}};
}

}  // namespace

std::string_view optimizer_name(Optimizer optimizer) { return optimizer == Optimizer::sgd ? "sgd" : "adam"; }

std::string Work::name(std::string_view precision) const {
  return fmt::format("train_step/{}/{}/{}/batch:{}/threads:{}", tutorial, optimizer_name(optimizer),
                     precision, batch, threads);
}

Problem problem_of(const Work& work) {
  if (work.tutorial == mnist_sigmoid) return sigmoid_problem();
  Problem problem = find_tutorial(work.tutorial).problem();
  if (work.tutorial == "mnist" && work.optimizer == Optimizer::sgd)
    problem.updates = sgd(problem.loss, {.rate = mnist_sgd_rate});
  return problem;
}

template <class T> const Samples<T>& Samples<T>::of(std::string_view tutorial) {
  static const Samples people = own_samples<T>("height-weight");
  static const Samples points = own_samples<T>("sine");
  static const Samples images = make_images<T>();
  return tutorial == "height-weight" ? people : tutorial == "sine" ? points : images;
}

template struct Samples<float>;
template struct Samples<double>;

}  // namespace gradus::benchmarks
