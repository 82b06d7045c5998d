#pragma once

namespace gradus::benchmarks {

// y = std::exp(x), element by element and call by call.
void std_exp(int count, const float* x, float* y);
void std_exp(int count, const double* x, double* y);

}  // namespace gradus::benchmarks
