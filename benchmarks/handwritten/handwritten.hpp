// Hand-written C++ training steps: what gradus's compiled programs are measured against.
// Every gradient here was derived by hand; nothing is shared with the framework, on purpose.
#pragma once

#include <cstddef>
#include <memory>

#include "kernels.hpp"
#include "second_thread.hpp"

namespace gradus::benchmarks {

// The compile flags of the kernels. Floating-point modes change what a loop costs, so both are compared.
enum class Flags { fast_math, no_errno };

// The flags as given to the compiler, for a benchmark's label.
const char* flags_text(Flags flags);

// One build of the kernels, for those that need no state.
const Kernels& kernels_of(Flags flags);

// 2-2-1 sigmoid network in double, one sample per step.
// Loss (o - t)^2 of one sample, gradient descent at rate 0.1.
class HeightWeight {
 public:
  static constexpr std::size_t parameter_count = 9;

  explicit HeightWeight(Flags flags);

  // One training step on x [2] and its target t. All gradients are taken before the first update.
  void step(const double* x, double t);

  // W1 [2, 2] (inputs x outputs, row major), b1 [2], W2 [2, 1], b2 [1], contiguous; all zero at first.
  double* parameters() { return reinterpret_cast<double*>(&weights_); }

 private:
  const Kernels* kernels_;
  HeightWeightWeights weights_{};
};

// 1-25-1 network in double, sigmoid hidden layer, linear output, full batch of 100 samples.
// Loss 1/2 mean (o - t)^2, gradient descent.
class Sine {
 public:
  static constexpr std::size_t batch = sine_samples;
  static constexpr std::size_t parameter_count = 3 * sine_hidden + 1;

  // x and t are [100, 1]; both are copied.
  Sine(const double* x, const double* t, Flags flags, double rate = 0.3);

  // One training step on the whole batch.
  void step();

  // The mean square (o - t)^2 that the last step() saw, before its update.
  double mean_square() const;

  // W1 [1, 25], b1 [25], W2 [25, 1], b2 [1], contiguous; all zero at first.
  double* parameters() { return state_->parameters; }

 private:
  const Kernels* kernels_;
  std::unique_ptr<SineState> state_;
};

// When the large layer's gradient is used: after all of it is there, by one loop over everything; or panel by
// panel, as it comes.
enum class Schedule { complete, fused };

// 784-128-10 network in float or double: relu hidden layer, softmax cross-entropy averaged over the batch.
// Set flush-to-zero around a long run with Adam: its small weights and moments end up denormal.
template <class T> class Mnist {
 public:
  static constexpr std::size_t parameter_count = mnist_parameters;

  // Adam is the Keras one: beta 0.9 and 0.999, epsilon 1e-7 added to sqrt(v), both bias corrections in the
  // rate. With two threads, which only Schedule::complete has, each updates half of the parameters; how many
  // threads OpenBLAS has is its own setting.
  Mnist(int batch, Optimizer optimizer, Schedule schedule, int threads, Flags flags, double rate = 0.001);
  Mnist(const Mnist&) = delete;  // the second thread knows where it is
  Mnist& operator=(const Mnist&) = delete;

  // One training step on x [batch, 784] and one_hot [batch, 10]; returns the loss before the update.
  T step(const T* x, const T* one_hot);

  // The loss that the last step() returned.
  T loss() const { return loss_; }

  // W1 [784, 128], b1 [128], W2 [128, 10], b2 [10], contiguous; all zero at first.
  T* parameters() { return state_.parameters; }

 private:
  struct Free {
    void operator()(T* memory) const;
  };

  void update();

  MnistKernels<T> kernels_;
  Schedule schedule_;
  double rate_;
  double beta1_power_ = 1;  // beta^t of Adam's bias corrections
  double beta2_power_ = 1;
  std::unique_ptr<T[], Free> memory_;  // everything `state_` points to
  MnistState<T> state_{};
  T loss_ = 0;
  std::unique_ptr<SecondThread> second_;
};

extern template class Mnist<float>;
extern template class Mnist<double>;

}  // namespace gradus::benchmarks
