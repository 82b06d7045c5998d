#include "work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/framework/random.hpp"
#include "gradus/models/optimizers.hpp"

namespace gradus::benchmarks {

namespace {

// The learning rate of plain gradient descent on mnist; the others are the tutorials' own.
constexpr double mnist_sgd_rate = 0.001;

// More than fits a second-level cache, since real images come from memory; two batches of the largest size.
constexpr std::size_t made_up_images = 2048;
// As many pixels of an MNIST image are black.
constexpr double black = 0.8;

template <class T>
Samples<T> make_images() {
  Samples<T> samples{std::vector<T>(made_up_images * mnist_in), std::vector<T>(made_up_images * mnist_out),
                     made_up_images};
  Random random(1);
  for (T& pixel : samples.inputs)
    if (random.uniform() >= black) pixel = static_cast<T>(random.uniform());
  for (std::size_t i = 0; i < made_up_images; ++i)
    samples.targets[i * mnist_out + random.below(mnist_out)] = 1;
  return samples;
}

template <class T>
Samples<T> own_samples(std::string_view tutorial) {
  const Problem problem = find_tutorial(tutorial).problem();
  const auto& x = problem.point.at("x");
  const auto& target = problem.point.at("target");
  return {{x.begin(), x.end()}, {target.begin(), target.end()}, static_cast<std::size_t>(problem.batch)};
}

std::vector<Update> updates_of(const Work& work, const Problem& problem) {
  return work.tutorial == "mnist" && work.optimizer == Optimizer::sgd
             ? sgd(problem.loss, {.rate = mnist_sgd_rate})
             : problem.updates;
}

template <class T>
Executable<T> executable_of(const Work& work, const Problem& problem, Store<T>& store) {
  std::vector<Expr> outputs;
  if (work.wants_loss()) outputs.push_back(problem.loss);
  const auto updates = updates_of(work, problem);
  return compile<T>(std::span(std::as_const(outputs)), std::span(updates),
                    static_cast<std::int64_t>(work.batch), store);
}

}  // namespace

std::string Work::name(std::string_view precision) const {
  return fmt::format("train_step/{}/{}/{}/batch:{}/threads:1", tutorial,
                     optimizer == Optimizer::sgd ? "sgd" : "adam", precision, batch);
}

template <class T>
const Samples<T>& Samples<T>::of(std::string_view tutorial) {
  static const Samples people = own_samples<T>("height-weight");
  static const Samples points = own_samples<T>("sine");
  static const Samples images = make_images<T>();
  return tutorial == "height-weight" ? people : tutorial == "sine" ? points : images;
}

template <class T>
Gradus<T>::Gradus(const Work& work)
    : problem_(find_tutorial(work.tutorial).problem()),
      inputs_(problem_.graph->find("x")),
      targets_(problem_.graph->find("target")),
      executable_(executable_of(work, problem_, store_)),
      batches_(work),
      // The whole data set is one batch: fed once, it stays, as it does in the reference.
      feeds_(work.batch != Samples<T>::of(work.tutorial).count) {
  if (!feeds_) feed();
  for (const Expr& parameter : problem_.graph->parameters()) {
    const std::string& name = (*problem_.graph)[parameter.id()].label;
    parameters_.push_back({name, store_.values(name)});
  }
}

template <class T>
bool Gradus<T>::is_finite() const {
  return std::ranges::all_of(parameters_, [](const Parameter& parameter) {
    return std::ranges::all_of(parameter.values, [](T value) { return std::isfinite(value); });
  });
}

template struct Samples<float>;
template struct Samples<double>;
template class Gradus<float>;
template class Gradus<double>;

}  // namespace gradus::benchmarks
