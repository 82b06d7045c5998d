#pragma once

#include <cmath>

#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/power.hpp"

/// What optimizers and running statistics do to every element of a parameter, each in one pass over memory.
namespace GRADUS_PUBLIC gradus {

class Descend final : public Formula<Descend, 3> {
 public:
  static constexpr std::string_view name = "descend";
  template <class T>
  static T f(T w, T gradient, T rate) {
    return w - rate * gradient;
  }
};

class MovingAverage final : public Formula<MovingAverage, 2> {
 public:
  static constexpr std::string_view name = "moving_average";
  explicit MovingAverage(double d) : decay(d) {}
  auto attributes() const { return std::tuple(attribute("decay", decay)); }
  template <class T>
  T f(T average, T x) const {
    return T(decay) * average + T(1 - decay) * x;
  }

  double decay;
};

class MovingSquare final : public Formula<MovingSquare, 2> {
 public:
  static constexpr std::string_view name = "moving_square";
  explicit MovingSquare(double d) : decay(d) {}
  auto attributes() const { return std::tuple(attribute("decay", decay)); }
  template <class T>
  T f(T average, T x) const {
    return T(decay) * average + T(1 - decay) * (x * x);
  }

  double decay;
};

class AdaptiveDescend final : public Formula<AdaptiveDescend, 5> {
 public:
  static constexpr std::string_view name = "adaptive_descend";
  static constexpr unsigned scalars = 0b11000;
  using Makers = std::tuple<Given, MovingAverage, MovingSquare, Given, Given>;
  template <class T>
  static T f(T w, T direction, T square, T rate, T epsilon) {
    using std::sqrt;
    return w - rate * direction / (sqrt(square) + epsilon);
  }
};

/// w − rate · gradient.
inline Expr descend(Arg w, Arg gradient, Arg rate) { return builtin<Descend>({w, gradient, rate}); }
/// decay · average + (1 − decay) · x, and the same of x².
inline Expr moving_average(Arg average, Arg x, double decay) {
  return builtin<MovingAverage>({average, x}, decay);
}
inline Expr moving_square(Arg average, Arg x, double decay) {
  return builtin<MovingSquare>({average, x}, decay);
}
/// w − rate · direction / (√square + epsilon). Fast where rate and epsilon are scalars.
inline Expr adaptive_descend(Arg w, Arg direction, Arg square, Arg rate, Arg epsilon) {
  return builtin<AdaptiveDescend>({w, direction, square, rate, epsilon});
}

}  // namespace gradus
