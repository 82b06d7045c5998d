// The classes around the kernels: memory, and the choice of one build or the other. Ordinary flags.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "handwritten.hpp"

namespace gradus::benchmarks {

namespace {

// A length in whole cache lines, so that every array of one block starts on one.
template <class T> std::size_t padded(std::size_t count) {
  constexpr std::size_t line = 64 / sizeof(T);
  return (count + line - 1) / line * line;
}

template <class T> MnistKernels<T> mnist_kernels(const Kernels& kernels) {
  if constexpr (std::is_same_v<T, float>)
    return kernels.mnist_float;
  else
    return kernels.mnist_double;
}

// By the variable that holds gradus to it.
bool is_held_to_avx2() {
  const char* const isa = std::getenv("GRADUS_ISA");
  return isa != nullptr && std::string_view(isa) == "avx2";
}

// Whole cache lines for each thread.
constexpr int half_of_mnist = mnist_parameters / 2 / 64 * 64;

}  // namespace

// The build passes what it really gave to the compiler.
const char* flags_text(Flags flags) {
  if (is_held_to_avx2())
    return flags == Flags::fast_math ? GRADUS_FAST_MATH_AVX2_FLAGS : GRADUS_NO_ERRNO_AVX2_FLAGS;
  return flags == Flags::fast_math ? GRADUS_FAST_MATH_FLAGS : GRADUS_NO_ERRNO_FLAGS;
}

const Kernels& kernels_of(Flags flags) {
  if (is_held_to_avx2()) return flags == Flags::fast_math ? fast_math_avx2::kernels : no_errno_avx2::kernels;
  return flags == Flags::fast_math ? fast_math::kernels : no_errno::kernels;
}

static_assert(sizeof(HeightWeightWeights) == HeightWeight::parameter_count * sizeof(double));

HeightWeight::HeightWeight(Flags flags) : kernels_(&kernels_of(flags)) {}

void HeightWeight::step(const double* x, double t) { kernels_->height_weight(weights_, x, t); }

Sine::Sine(const double* x, const double* t, Flags flags, double rate)
    : kernels_(&kernels_of(flags)), state_(std::make_unique<SineState>()) {
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

template <class T> void Mnist<T>::Free::operator()(T* memory) const { std::free(memory); }

template <class T>
Mnist<T>::Mnist(int batch, Optimizer optimizer, Schedule schedule, int threads, Flags flags, double rate)
    : kernels_(mnist_kernels<T>(kernels_of(flags))), schedule_(schedule), rate_(rate) {
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
            .parameters = take(flat),
            .gradients = take(flat),
            .m = take(flat),
            .v = take(flat),
            .hidden = take(layer),
            .hidden_gradient = take(layer),
            .logits = take(0)};
  if (threads == 2)
    second_ =
        std::make_unique<SecondThread>([this] { kernels_.update(state_, half_of_mnist, mnist_parameters); });
}

template <class T> T Mnist<T>::step(const T* x, const T* one_hot) {
  if (state_.optimizer == Optimizer::adam) {
    beta1_power_ *= 0.9;
    beta2_power_ *= 0.999;
    state_.rate = rate_ * std::sqrt(1 - beta2_power_) / (1 - beta1_power_);
  }
  if (schedule_ == Schedule::fused) return loss_ = kernels_.fused_step(state_, x, one_hot);
  loss_ = kernels_.gradients(state_, x, one_hot);
  update();
  return loss_;
}

template <class T> void Mnist<T>::update() {
  if (!second_) return kernels_.update(state_, 0, mnist_parameters);
  second_->begin();
  kernels_.update(state_, 0, half_of_mnist);
  second_->wait();
}

template class Mnist<float>;
template class Mnist<double>;

}  // namespace gradus::benchmarks
