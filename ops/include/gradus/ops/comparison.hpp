#pragma once

#include "gradus/ops/elementwise.hpp"
#include "gradus/simd/math.hpp"

namespace GRADUS_PUBLIC gradus {

class Less final : public Undifferentiable<Less, 2> {
 public:
  static constexpr std::string_view name = "less";
  static OnnxSpelling onnx(InputShapes) {
    return {{"Less", {OnnxInput{0}, OnnxInput{1}}}, {"Cast", {OnnxResult{0}}, {{"to", OnnxType::element}}}};
  }
  template <class T>
  static T f(T a, T b) {
    using math::where;
    return where(a < b, T(1), T(0));
  }
};

class LessEqual final : public Undifferentiable<LessEqual, 2> {
 public:
  static constexpr std::string_view name = "less_equal";
  static OnnxSpelling onnx(InputShapes) {
    return {{"LessOrEqual", {OnnxInput{0}, OnnxInput{1}}},
            {"Cast", {OnnxResult{0}}, {{"to", OnnxType::element}}}};
  }
  template <class T>
  static T f(T a, T b) {
    using math::where;
    return where(a <= b, T(1), T(0));
  }
};

class Equal final : public Undifferentiable<Equal, 2> {
 public:
  static constexpr std::string_view name = "equal";
  static constexpr Traits extra_traits{.commutative = true};
  static OnnxSpelling onnx(InputShapes) {
    return {{"Equal", {OnnxInput{0}, OnnxInput{1}}}, {"Cast", {OnnxResult{0}}, {{"to", OnnxType::element}}}};
  }
  template <class T>
  static T f(T a, T b) {
    using math::where;
    return where(a == b, T(1), T(0));
  }
};

class NotEqual final : public Undifferentiable<NotEqual, 2> {
 public:
  static constexpr std::string_view name = "not_equal";
  static constexpr Traits extra_traits{.commutative = true};
  static OnnxSpelling onnx(InputShapes) {
    return {{"Equal", {OnnxInput{0}, OnnxInput{1}}},
            {"Not", {OnnxResult{0}}},
            {"Cast", {OnnxResult{1}}, {{"to", OnnxType::element}}}};
  }
  template <class T>
  static T f(T a, T b) {
    using math::where;
    return where(a != b, T(1), T(0));
  }
};

/// Elementwise comparisons: 1 where true, 0 where false or NaN (not_equal: 1 for NaN). No gradient.
inline Expr operator<(Arg a, Arg b) { return builtin<Less>({a, b}); }
inline Expr operator>(Arg a, Arg b) { return builtin<Less>({b, a}); }
inline Expr operator<=(Arg a, Arg b) { return builtin<LessEqual>({a, b}); }
inline Expr operator>=(Arg a, Arg b) { return builtin<LessEqual>({b, a}); }
inline Expr equal(Arg a, Arg b) { return builtin<Equal>({a, b}); }
inline Expr not_equal(Arg a, Arg b) { return builtin<NotEqual>({a, b}); }

}  // namespace gradus
