#pragma once

#include <cmath>

#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/comparison.hpp"
#include "gradus/ops/support/math.hpp"
#include "gradus/ops/where.hpp"

namespace gradus {

class Relu final : public Unary<Relu> {
 public:
  static constexpr std::string_view name = "relu";
  template <class T>
  static T f(T x) {
    using math::where;
    return where(x < T(0), T(0), x);  // keeps NaN
  }
  // Of the output, so that the input need not be kept.
  template <class T>
  static T d(T, T y) {
    return y > 0;
  }
};

class LeakyRelu final : public Unary<LeakyRelu> {
 public:
  static constexpr std::string_view name = "leaky_relu";
  explicit LeakyRelu(double s) : slope(s) {}
  auto attributes() const { return std::tuple(attribute("slope", slope)); }
  template <class T>
  T f(T x) const {
    using math::where;
    return where(x > T(0), x, T(slope) * x);
  }
  template <class T>
  T d(T x, T) const {
    return where(x > 0, 1, T(slope));
  }

  double slope;
};

class Sigmoid final : public Unary<Sigmoid> {
 public:
  static constexpr std::string_view name = "sigmoid";
  template <class T>
  static T f(T x) {
    return math::sigmoid(x);
  }
  template <class T>
  static T d(T, T y) {
    return y * (1 - y);
  }
};

class Tanh final : public Unary<Tanh> {
 public:
  static constexpr std::string_view name = "tanh";
  template <class T>
  static T f(T x) {
    using std::tanh;
    return tanh(x);
  }
  template <class T>
  static T d(T, T y) {
    return 1 - y * y;
  }
};

Expr sigmoid(Arg x);

class Softplus final : public Unary<Softplus> {
 public:
  static constexpr std::string_view name = "softplus";
  // max(x, 0) + log1p(e^−|x|) neither overflows nor loses the small values.
  template <class T>
  static T f(T x) {
    using math::where;
    using std::abs, std::exp, std::log1p;
    return where(x < T(0), T(0), x) + log1p(exp(-abs(x)));
  }
  template <class T>
  static T d(T x, T) {
    return sigmoid(x);
  }
};

/// max(x, 0), with relu′(0) = 0.
inline Expr relu(Arg x) { return build<Relu>({x}); }
/// x for x > 0, else slope · x (the derivative at 0 is the slope).
inline Expr leaky_relu(Arg x, double slope = 0.01) { return build<LeakyRelu>({x}, slope); }
/// 1 / (1 + e^−x).
inline Expr sigmoid(Arg x) { return build<Sigmoid>({x}); }
/// (eˣ − e^−x) / (eˣ + e^−x).
inline Expr tanh(Arg x) { return build<Tanh>({x}); }
/// log(1 + eˣ), without overflow.
inline Expr softplus(Arg x) { return build<Softplus>({x}); }

}  // namespace gradus
