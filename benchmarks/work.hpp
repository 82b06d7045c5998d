#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "handwritten/kernels.hpp"
#include "models/tutorials/tutorial.hpp"

/// What is measured: networks, samples.
namespace gradus::benchmarks {

/// mnist's images and sizes with sigmoids and the squared error, ½ Σ (o − t)²: what FANN can do of it.
inline constexpr std::string_view mnist_sigmoid = "mnist-sigmoid";

/// The learning rate of plain gradient descent on mnist; the others are the tutorials' own.
inline constexpr double mnist_sgd_rate = 0.001;

std::string_view optimizer_name(Optimizer optimizer);

/// One training step of a tutorial's network, to be made in one precision.
struct Work {
  std::string_view tutorial;
  Optimizer optimizer;
  std::size_t batch;
  int threads = 1;

  /// Every contender computes the loss, or none does.
  bool wants_loss() const { return tutorial == "mnist"; }
  /// "train_step/mnist/adam/float/batch:32/threads:1".
  std::string name(std::string_view precision) const;
};

template <class T>
constexpr std::string_view precision_name = sizeof(T) == sizeof(float) ? "float" : "double";

/// The network with its loss, its updates and its starting weights.
Problem problem_of(const Work& work);

/// Samples to train on: the tutorial's own, or made-up images for mnist, so that no data is needed. Made
/// once.
template <class T> struct Samples {
  std::vector<T> inputs;
  std::vector<T> targets;
  std::size_t count;

  static const Samples& of(std::string_view tutorial);
};

/// Goes round and round through the samples, batch by batch.
template <class T> class Batches {
 public:
  explicit Batches(const Work& work)
      : samples_(Samples<T>::of(work.tutorial)),
        inputs_(work.batch * (samples_.inputs.size() / samples_.count)),
        targets_(work.batch * (samples_.targets.size() / samples_.count)),
        batches_(samples_.count / work.batch) {}

  struct Batch {
    std::span<const T> inputs;
    std::span<const T> targets;
  };
  Batch next() {
    const std::size_t now = next_;
    next_ = next_ + 1 == batches_ ? 0 : next_ + 1;
    return {{samples_.inputs.data() + now * inputs_, inputs_},
            {samples_.targets.data() + now * targets_, targets_}};
  }

 private:
  const Samples<T>& samples_;
  std::size_t inputs_;
  std::size_t targets_;
  std::size_t batches_;
  std::size_t next_ = 0;
};

extern template struct Samples<float>;
extern template struct Samples<double>;

}  // namespace gradus::benchmarks
