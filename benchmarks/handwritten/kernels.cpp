// The training steps. Compiled twice, as two object files, with GRADUS_HANDWRITTEN naming the namespace:
// fast_math and no_errno. So nothing here may have weak linkage outside that namespace: no std:: templates,
// no inline functions of ours; `nm -C kernels.o | grep -w W` must stay empty.
#include "kernels.hpp"

#include <cblas.h>

#include <cmath>

// glibc declares the vector exp of libmvec for -ffast-math only. A reference that calls a scalar exp per
// element would be an easy one to beat, so the other build declares it as well.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__FAST_MATH__)
extern "C" __attribute__((simd("notinbranch"))) double exp(double) noexcept;
extern "C" __attribute__((simd("notinbranch"))) float expf(float) noexcept;
#endif

namespace gradus::benchmarks::GRADUS_HANDWRITTEN {
namespace {

// ---- 2-2-1, one sample --------------------------------------------------------------------------

double sigmoid(double x) { return 1 / (1 + ::exp(-x)); }

void height_weight(HeightWeightWeights& p, const double* x, double t) {
  const double h0 = sigmoid(x[0] * p.w1[0][0] + x[1] * p.w1[1][0] + p.b1[0]);
  const double h1 = sigmoid(x[0] * p.w1[0][1] + x[1] * p.w1[1][1] + p.b1[1]);
  const double o = sigmoid(h0 * p.w2[0] + h1 * p.w2[1] + p.b2);

  // Grouped so that what does not need o is ready when o is: one step is one chain of latencies.
  const double slope0 = p.w2[0] * (h0 * (1 - h0));
  const double slope1 = p.w2[1] * (h1 * (1 - h1));
  const double step2 = 0.1 * 2 * (o - t) * (o * (1 - o));
  const double step1_0 = step2 * slope0;
  const double step1_1 = step2 * slope1;

  // Reading x between the writes, which might overlap it for all the compiler knows, keeps GCC from packing
  // these nine scalars into vectors: that costs a tenth of the step.
  p.w1[0][0] -= x[0] * step1_0;
  p.w1[1][0] -= x[1] * step1_0;
  p.b1[0] -= step1_0;
  p.w2[0] -= h0 * step2;
  p.w1[0][1] -= x[0] * step1_1;
  p.w1[1][1] -= x[1] * step1_1;
  p.b1[1] -= step1_1;
  p.w2[1] -= h1 * step2;
  p.b2 -= step2;
}

// ---- 1-25-1, full batch -------------------------------------------------------------------------

// Eight partial sums, the order of additions that a vector loop has anyway. Written out because only
// -ffast-math lets the compiler reorder a sum, and because GCC 12 makes shuffles of an inner loop over an
// array of eight.
using Lanes __attribute__((vector_size(64), may_alias)) = double;
constexpr int blocks = sine_padded / 8;

double total(const Lanes& s) { return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7])); }

void sine(SineState& state) {
  double* const w1 = state.parameters;
  double* const b1 = w1 + sine_hidden;
  double* const w2 = b1 + sine_hidden;
  double* const b2 = w2 + sine_hidden;

  for (int j = 0; j < sine_hidden; ++j) {
    const double w = w1[j];
    const double b = b1[j];
    for (int i = 0; i < sine_padded; ++i) state.hidden[j][i] = 1 / (1 + ::exp(-(w * state.x[i] + b)));
  }

  for (int i = 0; i < sine_samples; ++i) state.error[i] = *b2 - state.t[i];
  for (int j = 0; j < sine_hidden; ++j) {
    const double w = w2[j];
    for (int i = 0; i < sine_samples; ++i) state.error[i] += w * state.hidden[j][i];
  }

  const auto* const x = reinterpret_cast<const Lanes*>(state.x);
  const auto* const error = reinterpret_cast<const Lanes*>(state.error);
  const double rate = state.rate / sine_samples;
  for (int j = 0; j < sine_hidden; ++j) {
    const auto* const h = reinterpret_cast<const Lanes*>(state.hidden[j]);
    Lanes sum_w1 = {};
    Lanes sum_b1 = {};
    Lanes sum_w2 = {};
    for (int i = 0; i < blocks; ++i) {
      const Lanes dw2 = h[i] * error[i];
      const Lanes dz = dw2 * (1 - h[i]);
      sum_w2 += dw2;
      sum_b1 += dz;
      sum_w1 += dz * x[i];
    }
    const double step1 = rate * w2[j];
    w1[j] -= step1 * total(sum_w1);
    b1[j] -= step1 * total(sum_b1);
    w2[j] -= rate * total(sum_w2);
  }
  Lanes sum_b2 = {};
  for (int i = 0; i < blocks; ++i) sum_b2 += error[i];
  *b2 -= rate * total(sum_b2);
}

// ---- 784-128-10 ---------------------------------------------------------------------------------

constexpr int in = mnist_in;
constexpr int hidden = mnist_hidden;
constexpr int out = mnist_out;

float exponential(float x) { return ::expf(x); }
double exponential(double x) { return ::exp(x); }
float logarithm(float x) { return ::logf(x); }
double logarithm(double x) { return ::log(x); }
float root(float x) { return ::sqrtf(x); }
double root(double x) { return ::sqrt(x); }

constexpr CBLAS_TRANSPOSE plain = CblasNoTrans;
constexpr CBLAS_TRANSPOSE transposed = CblasTrans;

// c [m, n] = a' b' + beta c, all row major, b and c dense, where ' is the given transposition.
void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, const float* a, int lda,
          const float* b, float beta, float* c) {
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, tb == plain ? n : k, beta, c, n);
}
void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, const double* a, int lda,
          const double* b, double beta, double* c) {
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, tb == plain ? n : k, beta, c, n);
}

// y = a' x + beta y for a [m, n].
void gemv(CBLAS_TRANSPOSE ta, int m, int n, const float* a, const float* x, float beta, float* y) {
  cblas_sgemv(CblasRowMajor, ta, m, n, 1, a, n, x, 1, beta, y, 1);
}
void gemv(CBLAS_TRANSPOSE ta, int m, int n, const double* a, const double* x, double beta, double* y) {
  cblas_dgemv(CblasRowMajor, ta, m, n, 1, a, n, x, 1, beta, y, 1);
}

// a [m, n] += x y'.
void ger(int m, int n, const float* x, const float* y, float* a) {
  cblas_sger(CblasRowMajor, m, n, 1, x, 1, y, 1, a, n);
}
void ger(int m, int n, const double* x, const double* y, double* a) {
  cblas_dger(CblasRowMajor, m, n, 1, x, 1, y, 1, a, n);
}

// The three products of a layer x [batch, m], w [m, n], y [batch, n]. For a single sample these are matrix by
// vector and an outer product, for which BLAS has calls of their own.
template <class T> void layer(int batch, int m, int n, const T* x, const T* w, T beta, T* y) {
  if (batch == 1)
    gemv(transposed, m, n, w, x, beta, y);
  else
    gemm(plain, plain, batch, n, m, x, m, w, beta, y);
}

template <class T> void layer_dx(int batch, int m, int n, const T* dy, const T* w, T* dx) {
  if (batch == 1)
    gemv(plain, m, n, w, dy, T(0), dx);
  else
    gemm(plain, transposed, batch, m, n, dy, n, w, T(0), dx);
}

template <class T> void layer_dw(int batch, int m, int n, const T* x, const T* dy, T* dw) {
  if (batch == 1) {
    for (int i = 0; i < m * n; ++i) dw[i] = 0;
    ger(m, n, x, dy, dw);
  } else {
    gemm(transposed, plain, m, n, batch, x, m, dy, T(0), dw);
  }
}

// Softmax and its cross-entropy; z [batch, 10] goes from logits to scale (softmax - one_hot). Returns the
// mean loss.
template <class T> T cross_entropy(int batch, T scale, T* __restrict z, const T* __restrict one_hot) {
  T loss = 0;
  for (int i = 0; i < batch; ++i) {
    T* const row = z + i * out;
    const T* const y = one_hot + i * out;
    T top = row[0];
    for (int k = 1; k < out; ++k) top = row[k] > top ? row[k] : top;
    for (int k = 0; k < out; ++k) row[k] -= top;
    for (int k = 0; k < out; ++k) loss -= y[k] * row[k];
  }
  for (int n = 0; n < batch * out; ++n)
    z[n] = exponential(z[n]);  // one long loop: rows of 10 vectorise badly
  for (int i = 0; i < batch; ++i) {
    T* const row = z + i * out;
    const T* const y = one_hot + i * out;
    T sum = 0;
    for (int k = 0; k < out; ++k) sum += row[k];
    loss += logarithm(sum);
    const T factor = scale / sum;
    for (int k = 0; k < out; ++k) row[k] = factor * row[k] - scale * y[k];
  }
  return loss / T(batch);
}

template <class T> void bias_relu(int batch, const T* __restrict b1, T* __restrict h) {
  for (int i = 0; i < batch; ++i)
    for (int j = 0; j < hidden; ++j) {
      const T z1 = h[i * hidden + j] + b1[j];
      h[i * hidden + j] = z1 > 0 ? z1 : T(0);
    }
}

// Masks dh [batch, 128] where relu was off (relu'(0) = 0) and sums its rows to db1.
template <class T> void relu_gradient(int batch, const T* __restrict h, T* __restrict dh, T* __restrict db1) {
  for (int j = 0; j < hidden; ++j) db1[j] = 0;
  for (int i = 0; i < batch; ++i)
    for (int j = 0; j < hidden; ++j) {
      const T d = h[i * hidden + j] > 0 ? dh[i * hidden + j] : T(0);
      dh[i * hidden + j] = d;
      db1[j] += d;
    }
}

template <class T> void sgd(int count, T rate, T* __restrict p, const T* __restrict g) {
  for (int n = 0; n < count; ++n) p[n] -= rate * g[n];
}

// 28 bytes per float parameter: p, m, v read and written, g read.
template <class T>
void adam(int count, T rate, T* __restrict p, T* __restrict m, T* __restrict v, const T* __restrict g) {
  for (int n = 0; n < count; ++n) {
    m[n] = T(0.9) * m[n] + T(0.1) * g[n];
    v[n] = T(0.999) * v[n] + T(0.001) * g[n] * g[n];
    p[n] -= rate * m[n] / (root(v[n]) + T(1e-7));
  }
}

// The parameters from `from` on, with gradients g of their own.
template <class T> void apply(MnistState<T>& state, int from, int count, const T* g) {
  const T rate = T(state.rate);
  if (state.optimizer == Optimizer::sgd)
    sgd(count, rate, state.parameters + from, g);
  else
    adam(count, rate, state.parameters + from, state.m + from, state.v + from, g);
}

template <class T> void update(MnistState<T>& state, int from, int to) {
  apply(state, from, to - from, state.gradients + from);
}

// Everything but dW1; h and dh are left for it. Returns the loss.
template <class T> T all_but_dw1(MnistState<T>& state, const T* x, const T* one_hot) {
  const int batch = state.batch;
  const T* const w1 = state.parameters;
  const T* const b1 = w1 + in * hidden;
  const T* const w2 = b1 + hidden;
  const T* const b2 = w2 + hidden * out;
  T* const db1 = state.gradients + in * hidden;
  T* const dw2 = db1 + hidden;
  T* const db2 = dw2 + hidden * out;
  T* const h = state.hidden;
  T* const dh = state.hidden_gradient;
  T* const z = state.logits;

  layer(batch, in, hidden, x, w1, T(0), h);
  bias_relu(batch, b1, h);
  for (int i = 0; i < batch; ++i)
    for (int k = 0; k < out; ++k) z[i * out + k] = b2[k];
  layer(batch, hidden, out, h, w2, T(1), z);
  const T loss = cross_entropy(batch, T(1) / T(batch), z, one_hot);

  for (int k = 0; k < out; ++k) db2[k] = 0;
  for (int i = 0; i < batch; ++i)
    for (int k = 0; k < out; ++k) db2[k] += z[i * out + k];
  layer_dw(batch, hidden, out, h, z, dw2);
  layer_dx(batch, hidden, out, z, w2, dh);
  relu_gradient(batch, h, dh, db1);
  return loss;
}

template <class T> T gradients(MnistState<T>& state, const T* x, const T* one_hot) {
  const T loss = all_but_dw1(state, x, one_hot);
  layer_dw(state.batch, in, hidden, x, state.hidden_gradient, state.gradients);
  return loss;
}

// Rows of W1 whose gradient stays in the first-level cache until it is used up.
constexpr int panel_rows = 28;
static_assert(in % panel_rows == 0);

template <class T> T fused_step(MnistState<T>& state, const T* x, const T* one_hot) {
  const T loss = all_but_dw1(state, x, one_hot);
  T* const dw1 = state.gradients;  // its first panel serves for all
  const T* const dh = state.hidden_gradient;
  for (int row = 0; row < in; row += panel_rows) {
    if (state.batch == 1)
      for (int i = 0; i < panel_rows; ++i)
        for (int j = 0; j < hidden; ++j) dw1[i * hidden + j] = x[row + i] * dh[j];
    else
      gemm(transposed, plain, panel_rows, hidden, state.batch, x + row, in, dh, T(0), dw1);
    apply(state, row * hidden, panel_rows * hidden, dw1);
  }
  update(state, in * hidden, mnist_parameters);
  return loss;
}

// ---- elements -----------------------------------------------------------------------------------

void sigmoid_chain(int count, const float* __restrict a, const float* __restrict b, const float* __restrict c,
                   const float* __restrict d, float* __restrict y) {
  for (int i = 0; i < count; ++i) y[i] = d[i] / (1 + ::expf(-(a[i] * b[i] + c[i])));
}

}  // namespace

extern const Kernels kernels = {height_weight,
                                sine,
                                {gradients<float>, update<float>, fused_step<float>},
                                {gradients<double>, update<double>, fused_step<double>},
                                sigmoid_chain};

}  // namespace gradus::benchmarks::GRADUS_HANDWRITTEN
