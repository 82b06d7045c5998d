// The loop as anybody writes it, with the flags that anybody has.
#include "std_exp.hpp"

#include <cmath>

namespace gradus::benchmarks {

namespace {

template <class T> void loop(int count, const T* x, T* y) {
  for (int i = 0; i < count; ++i) y[i] = std::exp(x[i]);
}

}  // namespace

void std_exp(int count, const float* x, float* y) { loop(count, x, y); }
void std_exp(int count, const double* x, double* y) { loop(count, x, y); }

}  // namespace gradus::benchmarks
