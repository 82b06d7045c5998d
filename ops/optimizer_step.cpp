#include "gradus/ops/optimizer_step.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "gradus/ops/power.hpp"
#include "gradus/ops/rules.hpp"
#include "gradus/simd/lane.hpp"

namespace gradus {

namespace {

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using std::sqrt;

// `next`, but NaN for an infinite square, by one operation: a gradient whose square overflows would else end
// the training in silence.
template <class T> T unless_infinite(T square, T next) {
  if constexpr (std::is_same_v<T, Expr>)
    return next + (square - square);
  else
    return mul_add(square, T(0), next);
}

// n / d for a d that is 0 or normal, like its reciprocal; within 0.6 ulp, and NaN for a d of 0. Vectors
// of multiplications are faster than the processor's division, for which everything else of a step would
// wait. The first guess takes the bits of d from those of a constant, which leaves an error of 0.05; its cube
// and its square follow.
template <class T> T quotient(T n, T d) { return n / d; }
template <std::floating_point T, Isa isa> Lane<T, isa> quotient(Lane<T, isa> n, Lane<T, isa> d) {
  if constexpr (isa == Isa::baseline) {
    return n / where(d == Lane<T, isa>(0), std::numeric_limits<T>::quiet_NaN(), d);
  } else {
    using L = Lane<T, isa>;
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    constexpr Bits magic = static_cast<Bits>(sizeof(T) == 4 ? 0x7EF311C7U : 0x7FDE623822FC16E6U);
    L x = std::bit_cast<T>(magic - std::bit_cast<Bits>(d.value));
    L error = mul_add(-d, x, L(1));
    x = mul_add(x, mul_add(error, error, error), x);
    for (int i = 0; i < (sizeof(T) == 4 ? 1 : 2); ++i) x = mul_add(x, mul_add(-d, x, L(1)), x);
    const L q = n * x;
    return mul_add(x, mul_add(-d, q, n), q);
  }
}

struct SgdStep final : CompositeOp<SgdStep, 3> {
  using ScalarLoops = std::integer_sequence<unsigned, 0, 0b100>;
  static constexpr std::string_view name = "sgd_step";
  template <class T> static T f(T w, T gradient, T rate) { return w - rate * gradient; }
};

template <bool of_squares> struct MovingAverage final : CompositeOp<MovingAverage<of_squares>, 2> {
  static constexpr std::string_view name = of_squares ? "moving_square" : "moving_average";
  explicit MovingAverage(double d) : decay(d) {}
  auto attributes() const { return std::tuple(attribute("decay", decay)); }
  template <class T> T f(T average, T x) const {
    return T(decay) * average + T(1 - decay) * (of_squares ? x * x : x);
  }

  double decay;
};

struct AdaptiveStep final : CompositeOp<AdaptiveStep, 5> {
  static constexpr std::string_view name = "adaptive_step";
  using ScalarLoops = std::integer_sequence<unsigned, 0, 0b11000>;
  template <class T> static T f(T w, T direction, T square, T rate, T epsilon) {
    return unless_infinite(square, w - quotient(rate * direction, sqrt(square) + epsilon));
  }
};

struct AdamStepOp final : CompositeOp<AdamStepOp, 6, 3> {
  static constexpr std::string_view name = "adam_step";
  using ScalarLoops = std::integer_sequence<unsigned, 0, 0b110000>;
  AdamStepOp(double b1, double b2) : beta1(b1), beta2(b2) {}
  auto attributes() const { return std::tuple(attribute("beta1", beta1), attribute("beta2", beta2)); }
  template <class T> std::array<T, 3> f(T w, T m, T v, T gradient, T rate, T epsilon) const {
    const T next_m = MovingAverage<false>(beta1).f(m, gradient);
    const T next_v = MovingAverage<true>(beta2).f(v, gradient);
    return {AdaptiveStep::f(w, next_m, next_v, rate, epsilon), next_m, next_v};
  }

  double beta1;
  double beta2;
};

}  // namespace

Expr sgd_step(Arg w, Arg gradient, Arg rate) { return build<SgdStep>({w, gradient, rate}); }

Expr moving_average(Arg average, Arg x, double decay) {
  return build<MovingAverage<false>>({average, x}, decay);
}

Expr moving_square(Arg average, Arg x, double decay) {
  return build<MovingAverage<true>>({average, x}, decay);
}

Expr adaptive_step(Arg w, Arg direction, Arg square, Arg rate, Arg epsilon) {
  return build<AdaptiveStep>({w, direction, square, rate, epsilon});
}

AdamStep adam_step(Arg w, Arg m, Arg v, Arg gradient, Arg rate, Arg epsilon, double beta1, double beta2) {
  const auto next = build_outputs<AdamStepOp>({w, m, v, gradient, rate, epsilon}, beta1, beta2);
  return {next[0], next[1], next[2]};
}

}  // namespace gradus
