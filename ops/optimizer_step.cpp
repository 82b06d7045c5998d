#include "gradus/ops/optimizer_step.hpp"

#include <array>
#include <cmath>

#include "gradus/ops/power.hpp"
#include "gradus/ops/rules.hpp"

namespace gradus {

namespace {

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using std::sqrt;

class SgdStep final : public CompositeOp<SgdStep, 3> {
 public:
  using ScalarLoops = std::integer_sequence<unsigned, 0, 0b100>;
  static constexpr std::string_view name = "sgd_step";
  template <class T> static T f(T w, T gradient, T rate) { return w - rate * gradient; }
};

class MovingAverage final : public CompositeOp<MovingAverage, 2> {
 public:
  static constexpr std::string_view name = "moving_average";
  explicit MovingAverage(double d) : decay(d) {}
  auto attributes() const { return std::tuple(attribute("decay", decay)); }
  template <class T> T f(T average, T x) const { return T(decay) * average + T(1 - decay) * x; }

  double decay;
};

class MovingSquare final : public CompositeOp<MovingSquare, 2> {
 public:
  static constexpr std::string_view name = "moving_square";
  explicit MovingSquare(double d) : decay(d) {}
  auto attributes() const { return std::tuple(attribute("decay", decay)); }
  template <class T> T f(T average, T x) const { return T(decay) * average + T(1 - decay) * (x * x); }

  double decay;
};

// The formula of `adaptive_step`.
template <class T> T adaptive(T w, T direction, T square, T rate, T epsilon) {
  return w - rate * direction / (sqrt(square) + epsilon);
}

class AdaptiveStep final : public CompositeOp<AdaptiveStep, 5> {
 public:
  static constexpr std::string_view name = "adaptive_step";
  using ScalarLoops = std::integer_sequence<unsigned, 0, 0b11000>;
  template <class T> static T f(T w, T direction, T square, T rate, T epsilon) {
    return adaptive(w, direction, square, rate, epsilon);
  }
};

class AdamStepOp final : public CompositeOp<AdamStepOp, 6, 3> {
 public:
  static constexpr std::string_view name = "adam_step";
  using ScalarLoops = std::integer_sequence<unsigned, 0, 0b110000>;
  AdamStepOp(double b1, double b2) : beta1(b1), beta2(b2) {}
  auto attributes() const { return std::tuple(attribute("beta1", beta1), attribute("beta2", beta2)); }
  template <class T> std::array<T, 3> f(T w, T m, T v, T gradient, T rate, T epsilon) const {
    const T next_m = T(beta1) * m + T(1 - beta1) * gradient;
    const T next_v = T(beta2) * v + T(1 - beta2) * (gradient * gradient);
    return {adaptive(w, next_m, next_v, rate, epsilon), next_m, next_v};
  }

  double beta1;
  double beta2;
};

}  // namespace

Expr sgd_step(Arg w, Arg gradient, Arg rate) { return build<SgdStep>({w, gradient, rate}); }

Expr moving_average(Arg average, Arg x, double decay) { return build<MovingAverage>({average, x}, decay); }

Expr moving_square(Arg average, Arg x, double decay) { return build<MovingSquare>({average, x}, decay); }

Expr adaptive_step(Arg w, Arg direction, Arg square, Arg rate, Arg epsilon) {
  return build<AdaptiveStep>({w, direction, square, rate, epsilon});
}

AdamStep adam_step(Arg w, Arg m, Arg v, Arg gradient, Arg rate, Arg epsilon, double beta1, double beta2) {
  const auto next = build_outputs<AdamStepOp>({w, m, v, gradient, rate, epsilon}, beta1, beta2);
  return {next[0], next[1], next[2]};
}

}  // namespace gradus
