// What references.cpp and the two builds of kernels.cpp share: plain data and a table of functions.
// No member function and no inline one: a copy compiled with -ffast-math could replace the ordinary one at
// link.
#pragma once

namespace gradus::benchmarks {

enum class Optimizer { sgd, adam };

struct HeightWeightWeights {
  double w1[2][2], b1[2], w2[2], b2;
};

inline constexpr int sine_samples = 100;
inline constexpr int sine_padded = 104;  // whole vectors of 8: no scalar exp at the end of a row
inline constexpr int sine_hidden = 25;

struct SineState {
  alignas(64) double x[sine_padded];  // padded samples have x = 0 ...
  alignas(64) double t[sine_padded];
  alignas(64) double error[sine_padded];  // ... and o - t = 0, so they add nothing to any gradient
  alignas(64) double hidden[sine_hidden][sine_padded];
  double parameters[3 * sine_hidden + 1];  // W1, b1, W2, b2
  double rate;
};

inline constexpr int mnist_in = 784;
inline constexpr int mnist_hidden = 128;
inline constexpr int mnist_out = 10;
inline constexpr int mnist_parameters = (mnist_in + 1) * mnist_hidden + (mnist_hidden + 1) * mnist_out;

template <class T> struct MnistState {
  int batch;
  Optimizer optimizer;
  double rate;                           // of this step: Adam's bias corrections are in it
  T *parameters, *gradients, *m, *v;     // each [mnist_parameters]; only Adam has m, v
  T *hidden, *hidden_gradient, *logits;  // [batch, 128], [batch, 128], [batch, 10]
};

template <class T> struct MnistKernels {
  T (*gradients)(MnistState<T>&, const T* x, const T* one_hot);   // all of them complete; returns the loss
  void (*update)(MnistState<T>&, int from, int to);               // of these parameters, by their gradients
  T (*fused_step)(MnistState<T>&, const T* x, const T* one_hot);  // both, panel by panel
};

struct Kernels {
  void (*height_weight)(HeightWeightWeights&, const double* x, double t);
  void (*sine)(SineState&);
  MnistKernels<float> mnist_float;
  MnistKernels<double> mnist_double;
  // y = sigmoid(a b + c) d, element by element.
  void (*sigmoid_chain)(int count, const float* a, const float* b, const float* c, const float* d, float* y);
};

namespace fast_math {
extern const Kernels kernels;
}
namespace no_errno {
extern const Kernels kernels;
}
namespace fast_math_avx2 {
extern const Kernels kernels;
}
namespace no_errno_avx2 {
extern const Kernels kernels;
}

}  // namespace gradus::benchmarks
