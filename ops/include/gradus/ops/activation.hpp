#pragma once

#include <cmath>

#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/comparison.hpp"
#include "gradus/ops/where.hpp"
#include "gradus/simd/math.hpp"

namespace GRADUS_PUBLIC gradus {

class Relu final : public Unary<Relu> {
 public:
  static constexpr std::string_view name = "relu";
  static constexpr std::string_view onnx = "Relu";
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
  // ONNX Runtime has LeakyRelu for float alone.
  OnnxSpelling onnx(InputShapes) const {
    return {{"Greater", {OnnxInput{0}, 0.0}},
            {"Mul", {OnnxInput{0}, slope}},
            {"Where", {OnnxResult{0}, OnnxInput{0}, OnnxResult{1}}}};
  }
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

// The cotangent times the derivative, from y = sigmoid(x): in one op, as it is in every step of training.
class SigmoidSlope final : public Formula<SigmoidSlope, 2> {
 public:
  static constexpr std::string_view name = "sigmoid_slope";
  template <class T>
  static T f(T dy, T y) {
    return dy * (y * (1 - y));
  }
  static OnnxSpelling onnx(InputShapes) {
    return {{"Sub", {1.0, OnnxInput{1}}},
            {"Mul", {OnnxInput{1}, OnnxResult{0}}},
            {"Mul", {OnnxInput{0}, OnnxResult{1}}}};
  }
};

class Sigmoid final : public Unary<Sigmoid> {
 public:
  static constexpr std::string_view name = "sigmoid";
  static constexpr std::string_view onnx = "Sigmoid";
  using Makers = std::tuple<Add>;
  template <class T>
  static T f(T x) {
    using math::sigmoid;
    return sigmoid(x);
  }
  using Slope = SigmoidSlope;
};

class TanhSlope final : public Formula<TanhSlope, 2> {
 public:
  static constexpr std::string_view name = "tanh_slope";
  template <class T>
  static T f(T dy, T y) {
    return dy * (1 - y * y);
  }
  static OnnxSpelling onnx(InputShapes) {
    return {{"Mul", {OnnxInput{1}, OnnxInput{1}}},
            {"Sub", {1.0, OnnxResult{0}}},
            {"Mul", {OnnxInput{0}, OnnxResult{1}}}};
  }
};

class Tanh final : public Unary<Tanh> {
 public:
  static constexpr std::string_view name = "tanh";
  static constexpr std::string_view onnx = "Tanh";
  template <class T>
  static T f(T x) {
    using std::tanh;
    return tanh(x);
  }
  using Slope = TanhSlope;
};

Expr sigmoid(Arg x);

class Softplus final : public Unary<Softplus> {
 public:
  static constexpr std::string_view name = "softplus";
  // ONNX Runtime has Softplus for float alone; ONNX has no log1p.
  static OnnxSpelling onnx(InputShapes) {
    return {{"Abs", {OnnxInput{0}}},
            {"Neg", {OnnxResult{0}}},
            {"Exp", {OnnxResult{1}}},
            {"Add", {OnnxResult{2}, 1.0}},
            {"Log", {OnnxResult{3}}},
            {"Relu", {OnnxInput{0}}},
            {"Add", {OnnxResult{5}, OnnxResult{4}}}};
  }
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
inline Expr relu(Arg x) { return builtin<Relu>({x}); }
/// x for x > 0, else slope · x (the derivative at 0 is the slope).
inline Expr leaky_relu(Arg x, double slope = 0.01) { return builtin<LeakyRelu>({x}, slope); }
/// 1 / (1 + e^−x).
inline Expr sigmoid(Arg x) { return builtin<Sigmoid>({x}); }
/// (eˣ − e^−x) / (eˣ + e^−x).
inline Expr tanh(Arg x) { return builtin<Tanh>({x}); }
/// dy · y · (1 − y): the cotangent dy through y = sigmoid(x).
inline Expr sigmoid_slope(Arg dy, Arg y) { return builtin<SigmoidSlope>({dy, y}); }
/// dy · (1 − y²): the cotangent dy through y = tanh(x).
inline Expr tanh_slope(Arg dy, Arg y) { return builtin<TanhSlope>({dy, y}); }
/// log(1 + eˣ), without overflow.
inline Expr softplus(Arg x) { return builtin<Softplus>({x}); }

}  // namespace gradus
