// The classes around the kernels: memory, and the choice of one build or the other. Ordinary flags.
#include <algorithm>
#include <cstdlib>
#include <new>
#include <type_traits>
#include <utility>

#include "handwritten.hpp"

namespace gradus::benchmarks {

namespace {

const Kernels* kernels_of(Flags flags) {
  return flags == Flags::fast_math ? &fast_math::kernels : &no_errno::kernels;
}

// A length in whole cache lines, so that every array of one block starts on one.
template <class T>
std::size_t padded(std::size_t count) {
  constexpr std::size_t line = 64 / sizeof(T);
  return (count + line - 1) / line * line;
}

}  // namespace

// The build passes what it really gave to the compiler.
const char* flags_text(Flags flags) {
  return flags == Flags::fast_math ? GRADUS_FAST_MATH_FLAGS : GRADUS_NO_ERRNO_FLAGS;
}

static_assert(sizeof(HeightWeightWeights) == HeightWeight::parameter_count * sizeof(double));

HeightWeight::HeightWeight(Flags flags) : kernels_(kernels_of(flags)) {}

void HeightWeight::step(const double* x, double t) { kernels_->height_weight(weights_, x, t); }

Sine::Sine(const double* x, const double* t, Flags flags, double rate)
    : kernels_(kernels_of(flags)), state_(std::make_unique<SineState>()) {
  std::copy_n(x, batch, state_->x);
  std::copy_n(t, batch, state_->t);
  state_->rate = rate;
}

void Sine::step() { kernels_->sine(*state_); }

double Sine::mean_square() const {
  double sum = 0;
  for (std::size_t i = 0; i < batch; ++i) sum += state_->error[i] * state_->error[i];
  return sum / batch;
}

template <class T>
void Mnist<T>::Free::operator()(T* memory) const {
  std::free(memory);
}

template <class T>
Mnist<T>::Mnist(int batch, Optimizer optimizer, Flags flags, double rate) : kernels_(kernels_of(flags)) {
  const auto rows = static_cast<std::size_t>(batch);
  const std::size_t flat = padded<T>(mnist_parameters);
  const std::size_t layer = padded<T>(rows * mnist_hidden);
  const std::size_t count = 4 * flat + 2 * layer + padded<T>(rows * mnist_out);
  memory_.reset(static_cast<T*>(std::aligned_alloc(64, count * sizeof(T))));
  if (!memory_) throw std::bad_alloc();
  std::fill_n(memory_.get(), count, T(0));

  T* next = memory_.get();
  const auto take = [&next](std::size_t n) { return std::exchange(next, next + n); };
  state_ = {.batch = batch,
            .optimizer = optimizer,
            .rate = rate,
            .beta1_power = 1,
            .beta2_power = 1,
            .parameters = take(flat),
            .gradients = take(flat),
            .m = take(flat),
            .v = take(flat),
            .hidden = take(layer),
            .hidden_gradient = take(layer),
            .logits = take(0)};
}

template <class T>
T Mnist<T>::step(const T* x, const T* one_hot) {
  if constexpr (std::is_same_v<T, float>)
    loss_ = kernels_->mnist_float(state_, x, one_hot);
  else
    loss_ = kernels_->mnist_double(state_, x, one_hot);
  return loss_;
}

template class Mnist<float>;
template class Mnist<double>;

}  // namespace gradus::benchmarks
