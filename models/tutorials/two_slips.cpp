#include "models/tutorials/two_slips.hpp"

#include <cmath>

namespace gradus {

namespace {
constexpr double b1 = 0.35, b2 = 0.60;
double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }
}  // namespace

double SlipForward::loss() const {
  return 0.5 * (std::pow(o1 - slip_target[0], 2) + std::pow(o2 - slip_target[1], 2));
}

SlipForward slip_forward(const SlipWeights& w, Slips slips) {
  SlipForward f{};
  f.h1 = sigmoid_of(w[0] * slip_input[0] + w[1] * slip_input[1] + b1);
  f.h2 = sigmoid_of(w[2] * slip_input[0] + w[3] * slip_input[1] + b1);
  f.o1 = sigmoid_of(w[4] * f.h1 + w[5] * f.h2 + b2);
  f.o2 = sigmoid_of(w[6] * f.h1 + w[7] * f.h2 + (slips.bias ? f.h2 : b2));
  return f;
}

SlipWeights slip_gradient(const SlipWeights& w, Slips slips) {
  const SlipForward f = slip_forward(w, slips);
  const double d1 = (f.o1 - slip_target[0]) * f.o1 * (1 - f.o1);
  const double d2 = (f.o2 - slip_target[1]) * f.o2 * (1 - f.o2);
  const double slope1 = f.h1 * (1 - f.h1);
  const double slope2 = slips.hidden ? slope1 : f.h2 * (1 - f.h2);
  const double e1 = (d1 * w[4] + d2 * w[6]) * slope1;
  const double e2 = (d1 * w[5] + d2 * w[7]) * slope2;
  return {e1 * slip_input[0], e1 * slip_input[1], e2 * slip_input[0], e2 * slip_input[1],
          d1 * f.h1,          d1 * f.h2,          d2 * f.h1,          d2 * f.h2};
}

}  // namespace gradus
